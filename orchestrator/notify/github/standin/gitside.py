"""The stand-in's git: trees, commits, branches and pull requests made by API."""

from __future__ import annotations

import json
from urllib.parse import unquote

from orchestrator.notify.github.standin import rules
from orchestrator.notify.github.standin.rules import refuse
from orchestrator.notify.github.standin.state import Json, State


class GitSide:
    """Answers to requests below ``git/``, ``contents/`` and to new pull requests; each as (who, query, body, …)."""

    state: State

    def _contents(self, _who: str, query: dict[str, str], _body: object, path: str) -> Json:
        text = self.state.content(unquote(path), query.get("ref", ""))
        refuse(text is not None, 404, "Not Found")
        return {"type": "file", "path": unquote(path), "size": len(text or "")}

    def _commit(self, _who: str, _query: object, _body: object, sha: str) -> Json:
        refuse(sha in self.state.commits, 404, "Not Found")
        commit = self.state.commits[sha]
        return {"sha": sha, "tree": {"sha": commit["tree"]}, "parents": [{"sha": one} for one in commit["parents"]]}

    def _ref(self, _who: str, _query: object, _body: object, branch: str) -> Json:
        name = unquote(branch)
        refuse(name in self.state.branches, 404, "Not Found")
        return {"ref": f"refs/heads/{name}", "object": {"type": "commit", "sha": self.state.branches[name]}}

    def _new_tree(self, _who: str, _query: object, body: Json) -> Json:
        rules.tree(body)
        base = str(body.get("base_tree") or "")
        known = base in self.state.trees or any(commit["tree"] == base for commit in self.state.commits.values())
        refuse(not base or known, 422, "base_tree is not a valid tree oid")
        files = {**self.state.trees.get(base, {}), **{entry["path"]: entry["content"] for entry in body["tree"]}}
        sha = self.state.new_id("tree", json.dumps(files, sort_keys=True), base)
        self.state.trees[sha] = files
        return {"sha": sha}

    def _new_commit(self, _who: str, _query: object, body: Json) -> Json:
        refuse(body.get("message"), 422, "Invalid request. message wasn't supplied.")
        refuse(body.get("tree") in self.state.trees, 422, "Tree SHA does not exist")
        refuse(all(parent in self.state.commits for parent in body["parents"]), 422, "Parent SHA does not exist")
        sha = self.state.new_id("commit", body["message"], body["tree"], *body["parents"])
        self.state.commits[sha] = body
        return {"sha": sha}

    def _new_ref(self, _who: str, _query: object, body: Json) -> Json:
        rules.ref(body)
        name = str(body["ref"]).removeprefix("refs/heads/")
        refuse(name not in self.state.branches, 422, "Reference already exists")
        refuse(body["sha"] in self.state.commits, 422, "Object does not exist")
        self.state.branches[name] = body["sha"]
        return {"ref": body["ref"], "object": {"sha": body["sha"]}}

    def _new_pull(self, _who: str, _query: object, body: Json) -> Json:
        refuse(body.get("title"), 422, "Validation Failed: title")
        for end in ("head", "base"):
            refuse(body.get(end) in self.state.branches, 422, f"Validation Failed: {end} invalid")
        refuse(body["head"] != body["base"], 422, "Validation Failed: no commits between head and base")
        refuse(not self._open_of(body["head"]), 422, "Validation Failed: a pull request already exists")
        number = self.state.number()
        self.state.open_pull(number, "mo-testplan[bot]", "NONE", "b" * 40, self.state.branches[body["head"]], [])
        self.state.pulls[number]["head"]["ref"] = body["head"]
        return self._linked(self.state.pulls[number])

    def _pulls(self, _who: str, query: dict[str, str], _body: object) -> list[Json]:
        owner, _, branch = query.get("head", "").partition(":")
        refuse(query.get("state") == "open" and self.state.repository.startswith(f"{owner}/"), 404, "Not Found")
        return [self._linked(pull) for pull in self._open_of(branch)]

    def _open_of(self, branch: str) -> list[Json]:
        return [one for one in self.state.pulls.values() if (one["head"]["ref"], one["state"]) == (branch, "open")]

    def _linked(self, pull: Json) -> Json:
        return {**pull, "html_url": f"https://github.com/{self.state.repository}/pull/{pull['number']}"}
