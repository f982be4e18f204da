// Rebuilds the corpus in this folder: node rebuild.mjs NODE_MODULES GO_MODULES
//
// NODE_MODULES holds the npm package chdb (3.4.0), GO_MODULES the Go modules github.com/ClickHouse/clickhouse-go/v2 and
// github.com/AfterShip/clickhouse-sql-parser (v0.4.10) as `go mod download` unpacks them. Statements are what their authors wrote;
// those are kept that the engine in chdb takes for one statement (formatQuerySingleLineOrNull), each once, and of at most 3000 bytes.
// A statement ends at a line of four hyphens and a greater-than sign.
import { createRequire } from "node:module";
import { readdirSync, readFileSync, writeFileSync, statSync } from "node:fs";
import { join } from "node:path";

const [modules, gomodules] = process.argv.slice(2);
const { Session } = createRequire(join(modules, "x.js"))("chdb");
const session = new Session();
const ask = (sql) => session.query(sql, "JSONEachRow").split("\n").filter(Boolean).map((l) => JSON.parse(l));
const quote = (s) => "'" + s.replace(/\\/g, "\\\\").replace(/'/g, "\\'") + "'";

function* files(dir, suffix) {
  for (const name of readdirSync(dir).sort()) {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) yield* files(path, suffix);
    else if (name.endsWith(suffix)) yield path;
  }
}

// split cuts a script at its semicolons.
function split(text) {
  const out = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i], two = text.slice(i, i + 2);
    if (c === "'" || c === '"' || c === "`") {
      for (i++; i < text.length && text[i] !== c; i++) if (text[i] === "\\") i++;
    } else if (two === "--") {
      while (i < text.length && text[i] !== "\n") i++;
    } else if (two === "/*") {
      i = text.indexOf("*/", i + 2);
      if (i < 0) break;
      i++;
    } else if (c === ";") {
      out.push(text.slice(start, i));
      start = i + 1;
    }
  }
  out.push(text.slice(start));
  return out.map((s) => s.trim()).filter(Boolean);
}

function write(name, statements) {
  const seen = new Set(), kept = [];
  for (const s of statements) {
    const key = s.replace(/\s+/g, " ");
    if (s.length > 3000 || s.includes("---->") || seen.has(key)) continue;
    seen.add(key);
    kept.push(s);
  }
  const good = [];
  for (let i = 0; i < kept.length; i += 200) {
    const part = kept.slice(i, i + 200);
    const rows = ask("SELECT arrayJoin([" + part.map((s, n) => `tuple(${n}, ${quote(s)})`).join(",") + "]) AS t, t.1 AS n, isNotNull(formatQuerySingleLineOrNull(t.2)) AS ok");
    for (const r of rows) if (r.ok) good.push(part[r.n]);
  }
  writeFileSync(name, good.map((s) => s + "\n---->\n").join(""));
  console.log(name, statements.length, "found", kept.length, "different", good.length, "kept");
}

const blocks = (text) => [...text.matchAll(/```sql[^\n]*\n([\s\S]*?)```/g)].flatMap((m) => split(m[1]));
write("functions.sql", ask("SELECT examples AS e FROM system.functions WHERE e != '' ORDER BY name").flatMap((r) => blocks(r.e)));
write("documentation.sql", ask("SELECT * FROM system.documentation ORDER BY name").flatMap((r) => blocks(Object.values(r).filter((v) => typeof v === "string").join("\n"))));

const parser = join(gomodules, "github.com/!after!ship/clickhouse-sql-parser@v0.4.10/parser/testdata");
const own = [], stateful = [];
for (const path of files(parser, ".sql")) {
  if (path.includes("/format/") || path.includes("benchdata")) continue;
  (path.includes("1_stateful") ? stateful : own).push(...split(readFileSync(path, "utf8")));
}
write("stateful.sql", stateful);
write("parser.sql", own);

const driver = join(gomodules, "github.com/!click!house/clickhouse-go");
const latest = readdirSync(driver).filter((n) => n.startsWith("v2@")).sort().at(-1);
const strings = [];
for (const path of files(join(driver, latest), ".go")) {
  for (const m of readFileSync(path, "utf8").matchAll(/`([^`]*)`|"((?:[^"\\\n]|\\.)*)"/g)) {
    const s = (m[1] ?? m[2].replace(/\\n/g, "\n").replace(/\\t/g, "\t").replace(/\\(.)/g, "$1")).trim().replace(/;$/, "");
    if (/^(select|with|insert|show|describe|desc|exists|explain|create|drop|alter|set|use|truncate|optimize|system|kill|grant|delete|update)\s/i.test(s) && !/%[sdvqw]|\?\?/.test(s)) strings.push(s);
  }
}
write("driver.sql", strings);
