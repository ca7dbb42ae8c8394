wrk.method = "POST"
wrk.body = '{"handler":"square","payload":7}'
wrk.headers["Content-Type"] = "application/json"
