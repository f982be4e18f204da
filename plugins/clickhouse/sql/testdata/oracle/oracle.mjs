// Asks the engine in the npm package chdb about statements: node oracle.mjs NODE_MODULES < statements > answers
//
// One JSON string a line comes in; one JSON object a line goes out, behind an @, because the engine writes lines of its own: ok says that the text is one statement, ast what EXPLAIN AST
// shows of it, code the number of the error with which it fails under readonly = 2 (0: it ran).
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { join } from "node:path";

const { Session } = createRequire(join(process.argv[2], "x.js"))("chdb");
const session = new Session();
const quote = (s) => "'" + s.replace(/\\/g, "\\\\").replace(/'/g, "\\'").replace(/\0/g, "\\0") + "'";
const attempt = (sql, format) => {
  try {
    return { out: session.query(sql, format), code: 0 };
  } catch (e) {
    return { out: "", code: Number(/Code: (\d+)/.exec(String(e))?.[1] ?? -1), message: String(e).slice(0, 200) };
  }
};
attempt("SET implicit_select = 0", "TSV");
for (const s of ["SET implicit_table_at_top_level = ''", "SET max_execution_time = 2", "SET max_memory_usage = 500000000", "SET readonly = 2"]) attempt(s, "TSV");

for await (const line of createInterface({ input: process.stdin })) {
  const text = JSON.parse(line).replace(/(--|#)\s*\{.*$/gm, "--"); // hints for a test client
  const ok = attempt("SELECT isNotNull(formatQuerySingleLineOrNull(" + quote(text) + "))", "TSV").out.trim() === "1";
  const answer = { ok };
  if (ok) {
    answer.ast = attempt("EXPLAIN AST " + text, "TSVRaw").out;
    if (process.argv[3] === "run") {
      const r = attempt(text, "Null");
      answer.code = r.code;
      answer.message = r.message;
    }
  }
  process.stdout.write("\n@" + JSON.stringify(answer) + "\n");
}
