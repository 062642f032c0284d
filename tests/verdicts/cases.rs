//! Statements in all their variants: `«a|b|c»` stands for each of its parts.

/// What stands in front of the statements of a service, by its type.
pub const SERVICES: [(&str, &str); 9] = [
    ("process", "check process zz with pidfile /nonexistent.pid"),
    ("file", "check file zz with path /etc/passwd"),
    ("fifo", "check fifo zz with path /nonexistent.fifo"),
    ("directory", "check directory zz with path /etc"),
    ("filesystem", "check filesystem zz with path /"),
    ("host", "check host zz with address localhost\n if failed port 1 then alert"),
    ("network", "check network zz with interface lo"),
    ("system", "check system zz"),
    ("program", "check program zz with path /bin/true\n if status > 7 then alert"),
];

/// Global statements and whole services.
pub const GLOBAL: &[&str] = &[
    "set «daemon|DAEMON|deamon» «30|0|30 with start delay 240|30 start delay|x|30 seconds|-1|»",
    "set «init|terminal batch|terminal|fips|x»",
    "set «log|logfile» «syslog|/tmp/x.log|syslog facility log_daemon|syslog facility log_local7|syslog facility log_local8|syslog facility log_user|x.log|\"/tmp/a b\"|syslog facility|»",
    "set «pidfile|idfile|statefile» «/tmp/x|\"/tmp/x\"|'/tmp/x'|x|\"x\"|»",
    "set «ssl|tls|ssl options|tls with options» { «verify: enable|verify: disable|verify enable|selfsigned: allow|selfsigned: reject|version: auto|version: tlsv12|version: tlsv13|version: tlsv12 tlsv13|version: -tlsv1|ciphers: \"ALL\"|cacertificatepath: /etc/ssl/certs|cacertificatefile: /nonexistent|pemfile: /nonexistent|x|» }",
    "set onreboot «start|nostart|laststate|never|»",
    "set limits { «programOutput: 1 kB|sendExpectBuffer: 256 B|fileContentBuffer: 512 B|httpContentBuffer: 1 MB|networkTimeout: 5 s|networkTimeout: 500 ms|programTimeout: 300 seconds|stopTimeout: 30 second|startTimeout: 30 milliseconds|restartTimeout: 30 s|x: 5|programOutput: 5|programOutput 5 b|programOutput: 5 s|startTimeout: 5|startTimeout: 5 minutes|programOutput: 1 kB, startTimeout: 5 s|programOutput: 1.5 kB|» }",
    "set expectbuffer «1 kb|5|5 b|x|»",
    "set eventqueue «basedir /tmp/q|basedir /tmp/q slots 100|slots 100|slot 5|basedir \"/tmp/q\" slots 5|basedir x|slots|slots 5 basedir /tmp/q|»",
    "set alert «a@b.c|a@b|\"a@b.c\"|a|a@b.c { timeout }|a@b.c { timeout, nonexist }|a@b.c on { timeout }|a@b.c not on { instance, action }|a@b.c only on { timeout }|a@b.c but not on { timeout }|a@b.c not { timeout }|a@b.c { }|a@b.c { x }|a@b.c with reminder on 10 cycles|a@b.c reminder 10|a@b.c reminder on 10 cycle|a@b.c { timeout } reminder 5|a@b.c reminder 5 { timeout }|a@b.c with mail-format { subject: x }|a@b.c { timeout } mail-format { from: a@b }|»",
    "set alert a@b.c on { «action|bytein|byteout|checksum|connection|content|data|exec|exist|fsflags|fsflag|gid|icmp|instance|invalid|link|nonexist|packetin|packetout|permission|perm|pid|ppid|resource|saturation|size|speed|status|timeout|timestamp|time|uid|uptime|cpu|hardlink» }",
    "set mail-format { «from: a@b|from: Monit <a@b>|from: \"Monit\" <a@b>|from: a|reply-to: c@d|subject: x y z|message: hello\nworld|from: a@b\nreply-to: c@d\nsubject: $EVENT at $DATE\nmessage: x|subject: it's \"fine|x: y|» }",
    "set mailserver «localhost|mx1, mx2|mx1 mx2|mx1 port 587|mx1 port 587 username u password p|mx1 username \"u\" password \"p\"|mx1 username a@b password p|mx1 username u password p@x|mx1 username u password p/x|mx1 password p username u|mx1 port 465 using ssl|mx1 using tls|mx1 using ssl with options { verify: enable }|mx1 with timeout 15 seconds|mx1 timeout 15|mx1 using hostname \"foo\"|mx1 with timeout 5 seconds using hostname foo|mx1 hostname foo timeout 5 seconds|mx1 port x|mx1 using tlsv12|mx1 using tlsv1|mx1 certificate checksum md5 8f7f419955cefa0b33a2ba316cba3659|1.2.3.4|::1|\"mx1\"|»",
    "set mmonit «http://u:p@h:8080/collector|https://u:p@h/collector|http://h/collector|http://u:p@h:8080/collector with timeout 30 seconds|http://u:p@h/c and register without credentials|http://u:p@h/c using ssl|http://u:p@h/c with ssl with options { selfsigned: allow }|ftp://h/c|h|http://u:p@h/c http://u:p@g/c|http://u:p@h/c timeout 30|\"http://h/c\"|http://u:p@[::1]:8080/c|»",
    "set httpd «port 2812|port 2812 and use address localhost|port 2812 address ::1|port 2812 allow localhost|port 2812 allow 10.0.0.0/8|port 2812 allow 10.0.0.0/255.0.0.0|port 2812 allow ::1|port 2812 allow fe80::/64|port 2812 allow admin:monit|port 2812 allow \"admin\":\"monit x\"|port 2812 allow guest:guest read-only|port 2812 allow guest:guest readonly|port 2812 allow @root|port 2812 allow @root read-only|port 2812 allow md5 /nonexistent|port 2812 allow /nonexistent|port 2812 signature disable|port 2812 signature enable|port 2812 disable signature|port 2812 read-only|allow localhost|unixsocket /tmp/x.sock|unixsocket /tmp/x.sock allow u:p|unixsocket /tmp/x.sock uid root gid 0 permission 600|unixsocket /tmp/x.sock permission 0660 allow u:p|unixsocket /tmp/x.sock read-only|unixsocket x|port 2812 ssl disable allow localhost|port 2812 with ssl { pemfile: /nonexistent }|port 2812 ssl enable pemfile /nonexistent|port x|port 2812 allow|port 2812 x|port 2812 allow admin:mon@it|port 2812 allow admin:status|port 2812 allow admin:123|port 2812 allow 123:pw|port 2812 allow admin:|»",
    "check «process|PROCESS|proces|» «a|\"a b\"|'a'|/a|\"/a\"|a.b|-|123|daemon|\"\"» «with|» «pidfile /x|pidfile \"/x\"|pidfile x|path /x|matching x|matching \"a b\"|matching 'x'|matching /x|matching \"(x\"|x|»",
    "check file a «with|» «path /x|path \"/x\"|path x|/x|pidfile /x|»",
    "check «fifo|directory|filesystem|device» a «with path|path» «/x|\"/x\"|x|\"host:/x\"|\"//h/x\"|host:/x|»",
    "check system «a|$HOST|\"a b\"|»",
    "check network a «with interface lo|interface \"eth0\"|with address 127.0.0.1|address ::1|address localhost|with path /x|»",
    "check host a «with address localhost|address 1.2.3.4|address ::1|address \"x\"|address|» «if failed ping then alert|if failed port 80 then alert|»",
    "check program a «with|» path «/bin/true|\"/bin/true x 'a b'\"|'/bin/true'|\"/nonexistent x\"|true|/bin/true x y|\"\"» «timeout 5 seconds|with timeout 5 s|timeout 5|as uid root and gid root|as uid nosuch|as uid 0 timeout 5 seconds|timeout 5 minutes|» if status != 0 then alert",
    "check program a path /bin/true «every 5 cycles|» «if status = 0 then alert|if changed status then alert|if content = \"x\" then alert|if content != \"x\" then alert|if content \"x\" then alert|if status then alert|if status x then alert|if match \"x\" then alert|if not match \"x\" then alert|»",
    "include «/nonexistent|/nonexistent/*|\"/nonexistent\"|»",
    "«start \"/bin/true\"|mode active|if not exist then alert|depends on x|group x»",
];

/// Statements that every service may have.
pub const COMMON: &[&str] = &[
    "«start|stop|restart» «program|» «=|» «\"/bin/true\"|'/bin/true'|/bin/true|\"/bin/true a 'b c'\"|/bin/true a b|\"\"|true|»",
    "start program = \"/bin/true\" «as uid root|as uid 0|as uid \"root\"|as gid root|as uid root and gid root|gid 0 uid 0|as uid nosuch|as uid daemon|as uid 98765|as gid nosuch» «with timeout 60 seconds|»",
    "start program = \"/bin/true\" «with timeout 60 seconds|timeout 60 s|timeout 60 second|timeout 60|timeout 1 minutes|timeout x seconds|with timeout of 60 seconds|using timeout 60 seconds»",
    "depends «on a|on a, b|a|on a b|on \"a\"|on a,b|on|on b,|on the» \n check process a pidfile /a\n check process b pidfile /b",
    "depend «on a|a» \n check process a pidfile /a",
    "depends on «zz|nosuch|ZZ»",
    "group «a|\"a\"|'a'|a b|\"a b\"|www|server»",
    "mode «active|passive|manual|x|»",
    "onreboot «start|nostart|laststate|x»",
    "every «5 cycles|5 cycle|1 cycles|5|x|\"* * * * *\"|\"0-5 8,9 * * 1-5\"|\"* * * *\"|\"*/5 * * * *\"|\"60 * * * *\"|'* * * * *'|0 cycles|5.5 cycles|»",
    "not every «\"* * * * *\"|\"0-5 * * * *\"|5 cycles»",
    "alert «a@b.c|a@b.c { timeout }|a@b.c only on { timeout }|a@b.c not on { timeout }|a@b.c with reminder on 10 cycles|a@b.c with mail-format { subject: x }|a|\"a@b\"|»",
    "noalert «a@b.c|a|»",
    "if «3|1» «restarts|restart» «within|» «5|3|2|0» «cycles|cycle» then «alert|timeout|unmonitor|stop|exec \"/bin/true\"|restart|start|x»",
    "if 0 restarts within 5 cycles then timeout",
];

/// Tests, tried on every type of service.
pub const TESTS: &[&str] = &[
    "«not exist|does not exist|exist|exists|does exist|not exists|doesnt exist»",
    "changed «pid|ppid|size|permission|perm|checksum|md5 checksum|sha1 checksum|timestamp|time|atime|access time|ctime|change timestamp|mtime|modification time|modify timestamp|fsflags|status|link|link capacity|uid|x»",
    "failed «uid root|uid 0|uid nosuch|uid \"root\"|uid daemon|euid root|gid root|gid 0|gid nosuch|uid»",
    "failed «permission 0644|perm 644|permission 8|permission 10000|permission 7777|permission x|permission 0|permission»",
    "failed «checksum|md5 checksum|sha1 checksum|checksum expect 8f7f419955cefa0b33a2ba316cba3659|md5 checksum and expect the sum 8f7f419955cefa0b33a2ba316cba3659|sha1 checksum expect 8f7f419955cefa0b33a2ba316cba3659|checksum expect abc|checksum expect zf7f419955cefa0b33a2ba316cba3659|checksum expect 1234567890123456789012345678901234567890|sha1 checksum and expect \"1234567890123456789012345678901234567890\"|link|security attribute \"x\"|security attribute x»",
    "uptime «>|<|=|!=|>=|<=|==|is greater than|less than|older|gt|lt|eq|ne|ge|le|equal|notequal|» 5 «seconds|s|second|minutes|m|hours|h|days|day|months|month|weeks|ms|»",
    "«cpu|cpu usage|total cpu|cpu(user)|cpu usage (system)|cpu(wait)|cpu (us)|cpu(nice)|cpu(x)|cpu user|cpu(hardirq)|cpu(steal)|cpu(guest)» > «50%|50 %|50.5%|50 percent|50|150%|x%»",
    "«mem|memory|memory usage|total mem|total memory|totalmem|swap|swap usage» > «50%|5.5 mb|50 MB|50 kb|50 gb|50 b|50 byte|50|50MB|50 m|50 tb|50 megabytes|50 kilobyte/s»",
    "«loadavg|loadavg(1min)|loadavg (5min)|loadavg(15min)|loadavg(1m)|loadavg(5)|loadavg(2min)|loadavg per core|loadavg(5min) per core» > «5|5.5|5%»",
    "«threads|children|filedescriptors|total filedescriptors|thread|child» > «5|5.5|5%|5 percent»",
    "«read|write|disk read|disk write|read rate|write rate» > «5 mb|5 MB/s|5 operations|5 operations/s|5.5 kb|5»",
    "«space|space usage|space free|inode|inodes|inodes usage|inode free|inode usage» > «50%|5 mb|5.5 gb|500|50.5%»",
    "«service time|servicetime» > «5 ms|5 milliseconds|5 s|5 seconds|5|5.5 ms»",
    "size > «5 mb|5 b|5|5.5 mb|5%»",
    "«timestamp|time|atime|ctime|mtime|access time|change time|modification timestamp|modify time|access» «>|is older than|newer than|» 5 «minutes|seconds|hour|day|month|»",
    "content «=|!=|==|eq|is equal to|ne|notequal|gt|» «\"x\"|'x'|x|/x|\"/etc/passwd\"|\"(x\"|\"x{2\"|\"a**\"|\"[x\"|5»",
    "«match|not match» «\"x\"|x|/etc/passwd|/nonexistent»",
    "«link down|link up|failed link|succeeded link|link|link x»",
    "saturation > «50%|50.5%|50»",
    "«upload|download» > «5 mb/s|5 MB|500 packets/s|500 packets|5|5.5 mb/s|5 kb»",
    "total «upload|download|uploaded|downloaded» > «5 mb|500 packets|5» «in last hour|in last 2 hours|in last minute|in last 61 minutes|in last 25 hours|in last day|in last 2 days|last 5 minutes|in 5 seconds|»",
    "status «=|!=|>|<|is|» «0|1|255|x|1.5»",
    "«failed|succeeded» «port 80|host localhost port 80|host \"localhost\" port 80|port 0|port 65535|port 65536|port x|port|host localhost|url http://localhost/|url https://localhost:8443/x?y|url ftp://localhost/|url http:///x|url \"http://x\"|unixsocket /tmp/x|unix /tmp/x|unixsocket \"/tmp/x\"|unixsocket x|ping|ping4|ping6|icmp type echo|icmp|icmp type x»",
    "failed port 80 «ipv4|ipv6|type tcp|type udp|type tcpssl|type x|type tcpssl tlsv12|type tcpssl tlsv1|type tcpssl sslauto|ssl|tls|with ssl|using tls|with ssl with options { verify: enable }|with ssl options { x }|certificate valid for 30 days|certificate valid > 30 days|certificate valid 30|certificate checksum 8f7f419955cefa0b33a2ba316cba3659|certificate checksum md5 = 8f7f419955cefa0b33a2ba316cba3659|certificate checksum = \"8f7f419955cefa0b33a2ba316cba3659\"|address 127.0.0.1|address \"lo\"|timeout 5 seconds|timeout 5 s|timeout 5|timeout 5 minutes|retry 3|retry x|responsetime < 5 seconds|responsetime > 5 ms|response time < 5 ms|responsetime 5|content = \"x\"|content = \"(\"|send \"x\"|send \"x\" expect \"y\"|expect \"y\"|expect \"(\"|send x expect y|send \"x\\\n\" expect \"y\" send 'z'»",
    "failed port 80 «protocol|proto» «http|https|http request /x|http request \"/x\"|http request x|http and request \"/x\" with content = \"y\"|http status = 200|http status >= 200|http status 200|http method get|http method head|http method post|http method head content = \"x\"|http hostheader \"x\"|http hostheader x|http http headers [a: b]|http with http headers [a: b, c: \"d e\"]|http checksum 8f7f419955cefa0b33a2ba316cba3659|http request /x with checksum 8f7f419955cefa0b33a2ba316cba3659|http username u password p|http username \"u\" password \"p\" request /x|http timeout 5 seconds|http timeout 5 seconds status = 401|http status = 401 timeout 5 seconds|http send \"x\"»",
    "failed port 80 protocol «default|generic|smtp|smtps|lmtp|imap|imaps|pop|pops|sieve|ftp|ssh|nntp|dns|ntp3|mysql|mysqls|pgsql|redis|memcache|mongodb|mqtt|websocket|ldap2|ldap3|radius|sip|postfix-policy|rsync|rdate|tns|clamav|spamassassin|fail2ban|gps|dwp|apache-status|x»",
    "failed port 80 protocol «smtp username u password p|smtp username u|mysql username u password p|mysql username u@b password p|mysql username u password p@b|mysql username u password /p|mysql username \"u\" password p rsakey checksum 8f7f419955cefa0b33a2ba316cba3659|mysqls username u password p rsakey checksum 8f7f419955cefa0b33a2ba316cba3659|pgsql username u password p database d|pgsql database d|mqtt username u password p|websocket origin http://x request \"/x\" host \"x\" version 13|websocket host x|radius secret x|radius secret testing|sip target \"a@b\"|sip target a maxforward 5|sip target a@b and maxforward 6|sip maxforward x|apache-status loglimit > 10%|apache-status loglimit > 10% dnslimit > 5 percent|apache-status path \"/x\" waitlimit < 10%|apache-status loglimit > 10|generic send \"x\" expect \"y\"|ssh send \"x\"»",
    "failed port 80 type udp protocol «radius|radius secret x|dns|ntp3|sip|http|generic send \"x\"»",
    "failed url http://localhost/ «and content = \"x\"|content != \"x\"|timeout 5 seconds|with timeout 5 seconds|retry 3|protocol http|with ssl options { verify: enable }|certificate valid > 5 days|content = \"x\" timeout 5 seconds|timeout 5 seconds content = \"x\"|request \"/x\"|method get|status = 200»",
    "failed unixsocket /tmp/x «protocol fail2ban|protocol clamav|protocol http request /x|type tcp|type udp|send \"x\" expect \"y\"|timeout 5 seconds|responsetime < 5 s|retry 3|ssl»",
    "failed «ping|ping4|ping6|icmp type echo» «count 5|count 5 with timeout 5 seconds|timeout 5 seconds count 5|size 64|size 7|size 1493|address 127.0.0.1|responsetime < 5 ms|count x|timeout 5|»",
    "«x|failed x|failed|changed|total x|succeeded|not|»",
];

/// What follows the test `not exist` or `cpu > 5%`: rates, actions and recoveries.
pub const RULES: &[&str] = &[
    "«for 3 cycles|3 cycles|for 3 times within 5 cycles|3 times 5 cycles|3 5 cycles|for 64 cycles|for 65 cycles|for 0 cycles|0 times within 5 cycles|5 times within 3 cycles|3 times within 65 cycles|for x cycles|3 times|for 3|» then alert",
    "then «alert|restart|start|stop|unmonitor|timeout|x|ignore|monitor|»",
    "then exec «\"/bin/true\"|'/bin/true'|/bin/true|\"/bin/true a 'b c' d\"|/bin/true a b|true|\"\"|= \"/bin/true\"|»",
    "then exec \"/bin/true\" «as uid root|as uid root and gid root|and using the gid root|repeat every 5 cycles|repeat every cycle|repeat every 5 cycle|repeat 5 cycles|as uid root repeat every 2 cycles|repeat every 2 cycles as uid root|repeat every 0 cycles|as uid nosuch»",
    "then alert «else alert|else if succeeded then alert|else if passed then alert|else if recovered then alert|else if passed for 3 cycles then alert|else if passed 3 times within 5 cycles then restart|else exec \"/bin/true\"|else if succeeded then exec \"/bin/true\" repeat every 2 cycles|else stop|else if failed then alert|else x|else|else if then alert|else ignore»",
    "alert",
];
