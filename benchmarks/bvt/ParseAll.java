import com.google.gson.JsonObject;
import io.mo.cases.SqlCommand;
import io.mo.cases.TestScript;
import io.mo.constant.COMMON;
import io.mo.util.ScriptParser;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** mo-tester's own parser over a tree: one JSON object a command to standard output. A peer to measure against. */
public class ParseAll {
    public static void main(String[] words) throws IOException {
        COMMON.IGNORE_MODEL = true;
        List<Path> scripts;
        try (Stream<Path> tree = Files.walk(Paths.get(words[0]))) {
            scripts = tree.filter(path -> path.toString().matches(".*\\.(sql|test)")).sorted().collect(Collectors.toList());
        }
        try (BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8))) {
            for (Path path : scripts) {
                TestScript script = new ScriptParser().parseScript(path.toString());
                for (SqlCommand command : script.getCommands()) {
                    out.write(asJson(path, command).toString());
                    out.write('\n');
                }
            }
        }
    }

    private static JsonObject asJson(Path path, SqlCommand command) {
        JsonObject row = new JsonObject();
        row.addProperty("path", path.toString());
        row.addProperty("sql", command.getCommand());
        row.addProperty("line", command.getPosition());
        row.addProperty("conn", command.getConn_id());
        row.addProperty("user", command.getConn_user());
        row.addProperty("use_db", command.getUseDB());
        row.addProperty("ignore", command.isIgnore());
        row.addProperty("issue", command.getIssueNo());
        row.addProperty("separator", command.getSeparator());
        row.addProperty("pattern", command.isRegularMatch());
        row.addProperty("sortkeys", command.getSortKeyIndexs().toString());
        row.addProperty("ignore_columns", command.getIgnoreColumns().toString());
        row.addProperty("sleep", command.getSleeptime());
        row.addProperty("wait", command.isNeedWait());
        row.addProperty("metacmp", command.getCompareMeta());
        row.addProperty("wait_expect", command.isWaitExpect());
        return row;
    }
}
