"""The data plane of mo-testplan: hosts that execute untrusted pull request code."""
