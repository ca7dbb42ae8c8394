"""A webhook endpoint for the tests: prints its port, then one JSON line for each request that it got."""

import http.server
import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

secret, failures = sys.argv[1], int(sys.argv[2])


class Endpoint(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global failures
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            payload = Webhook(secret).verify(body, dict(self.headers.items()))
            verified = True
        except WebhookVerificationError:
            payload, verified = None, False
        status = 500 if failures > 0 else 200
        failures -= 1
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        event = {"verified": verified, "payload": payload, "answered": status, "id": self.headers["webhook-id"]}
        print(json.dumps(event), flush=True)

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Endpoint)
print(server.server_address[1], flush=True)
server.serve_forever()
