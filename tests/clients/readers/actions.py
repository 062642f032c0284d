"""Who acts by POST: Ruby's and Perl's libraries without a token, a browser's form, scripts with a pair of their own."""

from facts import ask, client

fact = client("POST")
fact("without a token 403", ask("/web", form={"action": "restart"}).code == 403)
answer = ask("/_status?format=xml")
cookie = answer.headers["Set-Cookie"]
fact("a good answer sets the cookie", cookie.startswith("securitytoken=") and "HttpOnly" in cookie, cookie)
token = cookie.split(";")[0].split("=")[1]
fact("32 hexadecimal digits", len(token) == 32 and int(token, 16) >= 0, token)


def act(path, token, **form):
    return ask(path, form={"securitytoken": token, **form}, cookie=token)


answer = act("/web", token, action="monitor")
fact("302 to the service, with a body", (answer.code, answer.headers["Location"]) == (302, "/web") and answer.body,
     (answer.code, answer.headers["Location"]))
answer = act("/_doaction", "abc", action="monitor", service="web")
fact("302 without a body where several may be named", answer.code == 302 and not answer.body, answer.code)
fact("a bad action 400", act("/web", token, action="dance").code == 400)
fact("its words", b'Invalid action "dance"' in act("/web", token, action="dance").body)
fact("an unknown service 404", act("/nobody", token, action="stop").code == 404)
fact("tokens that differ 403", ask("/web", form={"securitytoken": "a", "action": "stop"}, cookie="b").code == 403)
fact("GET never acts", ask("/_doaction?action=stop&service=web").code == 404)
answer = ask("/web", user="viewer:look", form={"securitytoken": "a", "action": "stop"}, cookie="a")
fact("who may only look 403", answer.code == 403)
fact("401 names the realm", ask("/", user=None).headers["WWW-Authenticate"] == 'Basic realm="monit"')
headers = ask("/").headers
fact("headers", headers["Connection"] == "close" and headers["Content-Length"] and headers["X-Frame-Options"] and
     headers["Content-Security-Policy"], dict(headers))
