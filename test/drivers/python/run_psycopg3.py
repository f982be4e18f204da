"""psycopg 3: extended protocol, prepared after five uses, pipeline mode, server-side cursors, COPY."""

import ctypes
import os

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus

import common


class Driver:
    def __init__(self):
        t = common.target()
        self.conn = psycopg.connect(host=t["host"], port=t["port"], user=t["user"], dbname=t["database"], autocommit=True)
        if want := os.environ.get("WANT_PROTOCOL"):
            function = ctypes.CDLL("libpq.so.5").PQfullProtocolVersion
            function.argtypes = [ctypes.c_void_p]
            got = function(ctypes.cast(self.conn.pgconn.pgconn_ptr, ctypes.c_void_p))
            if got != int(want):
                raise RuntimeError("protocol %d, want %s" % (got, want))

    def guard(self, work):
        try:
            return work()
        except psycopg.Error as e:
            if e.sqlstate is None:
                raise
            raise common.Failed(e.sqlstate, e.diag.message_primary) from e

    def execute(self, sql, args=None, **options):
        for n in range(len(args or []), 0, -1):
            sql = sql.replace("$%d" % n, "%s")
        return self.guard(lambda: self.conn.execute(sql, args, **options))

    def query(self, step):
        return common.rows(self.execute(step["sql"], step.get("args")).fetchall())

    def exec(self, step):
        return {"count": self.execute(step["sql"], step.get("args")).rowcount}

    def run(self, step):
        self.execute(step["sql"])
        return {"ok": True}

    def begin(self, _):
        self.execute("begin")
        return {"ok": True}

    def commit(self, _):
        return {"commit": {"COMMIT": "done", "ROLLBACK": "rolled back"}[self.execute("commit").statusmessage]}

    def rollback(self, _):
        self.execute("rollback")
        return {"ok": True}

    def prepared(self, step):
        return common.several(lambda args: {"count": self.execute(step["sql"], args, prepare=True).rowcount}, step["times"])

    def batch(self, step):
        """All in one pipeline with one Sync."""

        def work():
            with self.conn.pipeline():
                for sql in step["statements"]:
                    self.conn.execute(sql)

        self.guard(work)
        return {"ok": True}

    def queue(self, step):
        """libpq itself: everything is sent, a Sync behind each statement, before any result is read."""
        pg = self.conn.pgconn
        pg.enter_pipeline_mode()
        for sql in step["statements"]:
            pg.send_query_params(sql.encode(), None)
            pg.pipeline_sync()
        results = []
        while len(results) < len(step["statements"]):
            result = pg.get_result()
            if result is None or result.status == ExecStatus.PIPELINE_SYNC:
                continue
            if result.status == ExecStatus.FATAL_ERROR:
                results.append({"state": result.error_field(DiagnosticField.SQLSTATE).decode()})
            else:
                columns = range(result.nfields)
                results.append(common.rows([[result.get_value(i, j).decode() for j in columns] for i in range(result.ntuples)]))
        result = pg.get_result()  # the end of the last statement, then the last Sync
        while result is None or result.status != ExecStatus.PIPELINE_SYNC:
            result = pg.get_result()
        pg.exit_pipeline_mode()
        return {"results": results}

    def stream(self, step):
        cursor = self.conn.cursor(name="streaming")
        self.guard(lambda: cursor.execute(step["sql"]))
        first = len(self.guard(lambda: cursor.fetchmany(step["fetch"])))
        during, _ = common.attempt(lambda: self.exec({"sql": step["during"]}))
        rest, _ = common.attempt(lambda: self.guard(lambda: {"rows": len(cursor.fetchall())}))
        if "rows" in rest:
            cursor.close()
        return {"first": first, "during": during, "rest": rest}

    def copy(self, step):
        cursor = self.conn.cursor()

        def work():
            with cursor.copy("copy %s from stdin" % step["table"]) as copy:
                for row in step["rows"]:
                    copy.write_row(row)

        self.guard(work)
        return {"count": cursor.rowcount}

    def close(self):
        self.conn.close()


common.play(Driver())
