"""psycopg2: simple queries of libpq, server-side cursors by SQL, COPY."""

import io

import psycopg2

import common


class Driver:
    def __init__(self):
        t = common.target()
        self.conn = psycopg2.connect(host=t["host"], port=t["port"], user=t["user"], dbname=t["database"])
        self.conn.autocommit = True

    def execute(self, sql, args=None):
        for n in range(len(args or []), 0, -1):
            sql = sql.replace("$%d" % n, "%s")
        cursor = self.conn.cursor()
        return self.guard(cursor, lambda: cursor.execute(sql, args))

    def guard(self, cursor, work):
        try:
            work()
            return cursor
        except psycopg2.Error as e:
            if e.pgcode is None:
                raise
            raise common.Failed(e.pgcode, e.diag.message_primary) from e

    def query(self, step):
        return common.rows(self.execute(step["sql"], step.get("args")).fetchall())

    def exec(self, step):
        return {"count": self.execute(step["sql"], step.get("args")).rowcount}

    def run(self, step):
        self.execute(step["sql"])
        return {"ok": True}

    def begin(self, _):
        return self.run({"sql": "begin"})

    def commit(self, _):
        return {"commit": {"COMMIT": "done", "ROLLBACK": "rolled back"}[self.execute("commit").statusmessage]}

    def rollback(self, _):
        return self.run({"sql": "rollback"})

    def prepared(self, step):
        return common.several(lambda args: {"count": self.execute(step["sql"], args).rowcount}, step["times"])

    def batch(self, step):
        """One query of several statements."""
        return self.run({"sql": "; ".join(step["statements"])})

    def queue(self, step):
        return common.several(lambda sql: self.query({"sql": sql}), step["statements"])

    def stream(self, step):
        self.execute("declare streaming cursor for " + step["sql"])
        first = len(self.execute("fetch %d from streaming" % step["fetch"]).fetchall())
        during, _ = common.attempt(lambda: self.exec({"sql": step["during"]}))
        rest, _ = common.attempt(lambda: {"rows": len(self.execute("fetch all from streaming").fetchall())})
        return {"first": first, "during": during, "rest": rest}

    def copy(self, step):
        cursor = self.conn.cursor()
        data = io.StringIO("".join("\t".join(map(str, row)) + "\n" for row in step["rows"]))
        return {"count": self.guard(cursor, lambda: cursor.copy_from(data, step["table"])).rowcount}

    def close(self):
        self.conn.close()


common.play(Driver())
