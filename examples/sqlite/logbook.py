"""A ship's log over HTTP. Its health is a table that the last migration makes; it makes none itself."""

import json
import os
import signal
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FILE = os.environ["DATABASE_URL"].removeprefix("file:")
LOG = 'SELECT "text", "at", "beaufort" FROM "Entry" LEFT JOIN "Weather" ON "entryId" = "id" ORDER BY "id"'


def rows(query):
    # `mode=rw`: a file that is not there is an error, and not a new and empty database.
    connection = sqlite3.connect(f"file:{FILE}?mode=rw", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            found = {"/healthz": 'SELECT count(*) FROM "Weather"', "/": LOG}.get(self.path)
            status, body = (200, rows(found)) if found else (404, "not found")
        except sqlite3.Error as error:
            status, body = 503, str(error)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode() + b"\n")

    def log_message(self, format, *arguments):
        print(format % arguments, flush=True)


# The first process of a container has no default for this signal.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8000"))), Answers)
print("listening", flush=True)
server.serve_forever()
