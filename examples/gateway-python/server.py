"""An MCP server over Streamable HTTP, with nothing but Python's standard library.

It knows nothing of OAuth. The gateway lets a call pass, and says in X-Mcp-* headers who calls. Those are
believed because only the gateway reaches this server: it listens on 127.0.0.1, under one host name.
"""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

ADDRESS = urlsplit(os.environ["MCP_OAUTH_TO"])
UPSTREAM = os.environ["MCP_OAUTH_UPSTREAM"]
VERSIONS = ["2025-11-25", "2025-06-18", "2025-03-26"]
LARGEST = 4 * 1024 * 1024

# Notes by user, until the process ends. Yours are in a database.
notes = {}


def whoami(caller, arguments):
    """Asks the provider, as the user, who the user is. Your own API calls will look like this."""
    with urlopen(UPSTREAM + "/.well-known/openid-configuration", timeout=10) as answer:
        userinfo = json.load(answer)["userinfo_endpoint"]
    request = Request(userinfo, headers={"Authorization": caller["authorization"]})
    with urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def list_notes(caller, arguments):
    return json.dumps(notes.get(caller["user"], []))


def add_note(caller, arguments):
    notes.setdefault(caller["user"], []).append(str(arguments["text"]))
    return "Written."


NOTHING = {"type": "object"}
NOTE = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
TOOLS = {
    "whoami": (whoami, "Who you are, as your identity provider says", NOTHING),
    "list_notes": (list_notes, "Your notes", NOTHING),
    "add_note": (add_note, "Writes a note", NOTE),
}


def answer_to(method, params, caller):
    """The result of a request. KeyError is for a method that there is not."""
    if method == "initialize":
        asked = params.get("protocolVersion")
        return {
            "protocolVersion": asked if asked in VERSIONS else VERSIONS[0],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "notes", "version": "1.0.0"},
        }
    if method == "tools/list":
        described = [
            {"name": name, "description": description, "inputSchema": schema}
            for name, (_, description, schema) in TOOLS.items()
        ]
        return {"tools": described}
    if method == "tools/call":
        return call_tool(params, caller)
    return {"ping": {}}[method]


def call_tool(params, caller):
    try:
        run = TOOLS[params["name"]][0]
        text, failed = run(caller, params.get("arguments") or {}), False
    except (KeyError, OSError) as error:
        text, failed = f"{type(error).__name__}: {error}", True
    return {"content": [{"type": "text", "text": text}], "isError": failed}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_POST(self):
        # A web page whose name was pointed at this address would come with another Host.
        if self.headers["Host"] != ADDRESS.netloc or self.path != ADDRESS.path:
            return self.send(404)
        caller = self.caller()
        if caller["user"] is None:
            return self.send(403)
        length = int(self.headers.get("Content-Length", 0))
        if length > LARGEST:
            return self.send(413)
        try:
            message = json.loads(self.rfile.read(length))
        except ValueError:
            return self.send(400)
        if not isinstance(message, dict) or "method" not in message:
            return self.send(400)
        if "id" not in message:
            return self.send(202)
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        try:
            reply["result"] = answer_to(message["method"], message.get("params") or {}, caller)
        except KeyError:
            reply["error"] = {"code": -32601, "message": "There is no such method"}
        self.send(200, json.dumps(reply).encode())

    def do_GET(self):
        """There is no stream of messages from this server."""
        self.send(405)

    def caller(self):
        """Who calls, as the gateway says. Values are percent-encoded UTF-8."""
        user = self.headers["X-Mcp-User"]
        return {
            "user": user and unquote(user),
            "authorization": self.headers["Authorization"],
        }

    def send(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status >= 400:
            # What was sent and not read would be taken for the next request.
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        """The gateway has a log."""


try:
    server = ThreadingHTTPServer((ADDRESS.hostname, ADDRESS.port), Handler)
    print("The MCP server listens.", flush=True)
    server.serve_forever()
except KeyboardInterrupt:
    pass
