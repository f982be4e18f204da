// The official client for Node, over HTTP, through the gateway: ordinary work, denials between, and work again on the same connections.
"use strict";
const assert = require("node:assert");
const { Readable } = require("node:stream");
const { ClickHouseLogLevel, createClient } = require("@clickhouse/client");

async function denied(work) {
  await assert.rejects(work, (e) => {
    assert.strictEqual(e.code, "497");
    assert.match(e.message, /that is forbidden/);
    return true;
  });
}

async function main() {
  const [port, compressed] = process.argv.slice(2);
  const client = createClient({
    url: `http://127.0.0.1:${port}`,
    log: { level: ClickHouseLogLevel.OFF },
    max_open_connections: 1, // so that all of it happens on the connection that was denied something
    compression: { request: compressed === "compressed", response: compressed === "compressed" },
  });
  const rows = async (query, more) => (await client.query({ query, format: "JSONEachRow", ...more })).json();

  for (let i = 0; i < 3; i++) {
    assert.deepStrictEqual(await rows("SELECT 1 AS one"), [{ one: 1 }]);
    await denied(() => rows("SELECT 'node forbidden'"));
    await denied(() => client.command({ query: "DROP TABLE node_forbidden" }));
    await denied(() => client.insert({ table: "node_forbidden", values: [{ id: 1 }], format: "JSONEachRow" }));
    const values = Array.from({ length: 1000 }, (_, n) => ({ id: n, s: "x".repeat(n % 50) }));
    await client.insert({ table: "node", values, format: "JSONEachRow" });
  }
  // A stream whose length nobody says, and which is longer than what the gateway reads of an INSERT.
  const long = Array.from({ length: 30000 }, (_, n) => ({ id: n, s: "a line of some length" }));
  await client.insert({ table: "node", values: Readable.from(long, { objectMode: true }), format: "JSONEachRow" });
  assert.deepStrictEqual(await rows("SELECT toString(count()) AS n FROM node"), [{ n: "33000" }]);

  let seen = 0;
  const answer = await client.query({ query: "SELECT number FROM system.numbers LIMIT 100000", format: "JSONEachRow" });
  for await (const some of answer.stream()) seen += some.length;
  assert.strictEqual(seen, 100000);

  assert.deepStrictEqual(await rows("SELECT 2 AS two", { clickhouse_settings: { max_threads: 1 } }), [{ two: 2 }]);
  await assert.rejects(() => rows("SELECT nothing_like_this"), /Code: 47/);
  assert.strictEqual((await client.ping()).success, true);
  await client.close();
  console.log("done");
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
