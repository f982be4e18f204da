"""What the drivers of Python share: they play the steps of scenarios.json and print what came of each as a line of JSON."""

import json
import os
import sys


class Failed(Exception):
    """An error of the server."""

    def __init__(self, state, message):
        super().__init__(message)
        self.state, self.message = state, message


def target():
    return {k: os.environ["PG" + k.upper()] for k in ("host", "port", "user", "database")}


def rows(values):
    """Rows as everything prints them; of many only the number."""
    values = [[None if v is None else str(v) for v in row] for row in values]
    return {"rows": values} if len(values) <= 10 else {"many": len(values)}


def scenarios():
    with open(sys.argv[1], encoding="utf-8") as f:
        return json.load(f)


def report(scenario, number, result, message):
    print(json.dumps({"scenario": scenario, "step": number, "result": result, "message": message}), flush=True)


def attempt(work):
    """The result of work, or the SQLSTATE and the message that it failed with."""
    try:
        return work(), ""
    except Failed as e:
        return {"state": e.state}, e.message


def play(driver):
    """Plays all steps: driver has a method for each."""
    for s in scenarios():
        for number, step in enumerate(s["steps"]):
            result, message = attempt(lambda: getattr(driver, step["do"])(step))
            report(s["name"], number, result, message)
    driver.close()


def several(work, items):
    """Results of work for each item, whether it fails or not."""
    return {"results": [attempt(lambda: work(i))[0] for i in items]}
