"""asyncpg: prepared statements with binary parameters for everything, portals as cursors, COPY in binary."""

import asyncio

import asyncpg

import common


class Driver:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.conn = self.wait(asyncpg.connect(ssl="prefer", **common.target()))

    def wait(self, future):
        async def bounded():
            return await asyncio.wait_for(future, 120)

        try:
            return self.loop.run_until_complete(bounded())
        except asyncpg.PostgresError as e:
            raise common.Failed(e.sqlstate, e.message or str(e)) from e

    def query(self, step):
        return common.rows(self.wait(self.conn.fetch(step["sql"], *step.get("args", []))))

    def exec(self, step):
        return {"count": int(self.wait(self.conn.execute(step["sql"], *step.get("args", []))).split()[-1])}

    def run(self, step):
        self.wait(self.conn.execute(step["sql"]))
        return {"ok": True}

    def begin(self, _):
        self.wait(self.conn.transaction().start())  # a cursor wants a transaction that the driver knows of
        return {"ok": True}

    def end(self, sql):
        """Transaction.commit would not say whether the server has committed."""
        tag = self.wait(self.conn.execute(sql))
        self.conn._top_xact = None
        return tag

    def commit(self, _):
        return {"commit": {"COMMIT": "done", "ROLLBACK": "rolled back"}[self.end("commit")]}

    def rollback(self, _):
        self.end("rollback")
        return {"ok": True}

    def prepared(self, step):
        """A prepared statement, and the same once more as one pipeline of Bind and Execute (executemany)."""
        try:
            statement = self.wait(self.conn.prepare(step["sql"]))
        except common.Failed as e:
            return {"results": [{"state": e.state} for _ in step["times"]]}

        def once(args):
            self.wait(statement.fetch(*args))
            return {"count": int(statement.get_statusmsg().split()[-1])}

        results = common.several(once, step["times"])
        self.many(step)
        return results

    def many(self, step):
        many, _ = common.attempt(lambda: self.wait(self.conn.executemany(step["sql"], step["times"])))
        if many is not None and many != {"state": "42501"}:
            raise RuntimeError("executemany: %r" % many)

    def batch(self, step):
        """One query of several statements."""
        return self.run({"sql": "; ".join(step["statements"])})

    def queue(self, step):
        return common.several(lambda sql: self.query({"sql": sql}), step["statements"])

    def stream(self, step):
        async def open_and_fetch():
            cursor = await self.conn.cursor(step["sql"])
            return cursor, await cursor.fetch(step["fetch"])

        cursor, first = self.wait(open_and_fetch())
        during, _ = common.attempt(lambda: self.exec({"sql": step["during"]}))
        rest, _ = common.attempt(lambda: {"rows": len(self.wait(cursor.fetch(100000)))})
        return {"first": len(first), "during": during, "rest": rest}

    def copy(self, step):
        tag = self.wait(self.conn.copy_records_to_table(step["table"], records=[tuple(row) for row in step["rows"]]))
        return {"count": int(tag.split()[-1])}

    def close(self):
        self.wait(self.conn.close())
        self.loop.close()


common.play(Driver())
