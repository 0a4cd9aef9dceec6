#include "findings_of.h"

#define SERVER_WITH(keys) SITE NODE DNS RELAY "server \"m\" {\n" SERVER_KEYS keys "}"
#define EXTERNAL(name, address, keys)                                                                        \
    "server \"" name "\" { kind = \"external\" site = \"s\" hostname = \"" name                              \
    ".test\" address = {\"" address "\"}\n" keys "}\n"
#define CREATE(keys) "failover {\ncreate { " keys " } } "
#define WEB(keys)    "web \"w\" { node = \"n\" " keys "}"

static void what_the_store_is_told(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {NETWORK "store { url = \"postgresql://hf@10.0.0.1/holdfast\" durability = \"local\" }",
         "2: store: url leads to \"10.0.0.1\", off this machine, and does not say how that is known to be "
         "it; add "
         "sslmode=verify-full and sslrootcert=FILE, the authority that its certificate is by, after a ?\n"},
        {NETWORK "store {\nurl = \"sqlite:store\"\npassword_file = \"secret\" }",
         "4: store: password_file is for a url of postgresql: only; remove it\n"},
        {NETWORK "store { password_file = \"secret\" }",
         "2: store: password_file is for a url of postgresql: only; remove it\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

#define POSTGRES "url = \"postgresql://hf@localhost/h\""
#define TOLD                                                                                                 \
    " is \"replicated\", as with postgresql: unless written otherwise, which wants to know where the "       \
    "databases are: name them by databases in two sites; or write durability = \"local\"\n"

static void copies_want_databases_in_two_sites(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {NETWORK "store {\n" POSTGRES " }", "3: store: durability" TOLD},
        {NETWORK "store { " POSTGRES "\ndurability = \"replicated\" }\nsite \"t\" { databases = {\"a\"} }",
         "3: store: durability" TOLD},
        {NETWORK "store { " POSTGRES " durability = \"local\" }", ""},
        {NETWORK "store { " POSTGRES
                 " }\nsite \"t\" { databases = {\"localhost\"} } site \"u\" { databases = {\"b\", \"c\"} }",
         ""},
        {NETWORK "store { " POSTGRES " }\nsite \"t\" { databases = {\"a\", \"localhost\"} }\nsite \"u\" "
                 "{\ndatabases = {\"b\", \"a\"} }",
         "5: site \"u\": the database \"a\" is in site \"t\", too; each of its names is in one site\n"},
        {NETWORK "store {\ndurability = \"replicated\" }",
         "3: store: durability \"replicated\" wants a url of postgresql:, with databases in two sites; or "
         "write "
         "durability = \"local\"\n"},
        {NETWORK "site \"t\" { databases = {\"a\"} }",
         "2: site \"t\": databases are of a store with a url of postgresql: only; remove them\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

#define AT(hosts, t, u)                                                                                      \
    NETWORK "store {\nurl = \"postgresql://hf@" hosts "/h\" }\nsite \"t\" { databases = {" t                 \
            "} } site \"u\" { databases = {" u "} }"
#define NOWHERE(host)                                                                                        \
    "3: store: url leads to \"" host "\", which is in no site: with durability \"replicated\" no mail "      \
    "counts as copied while the database there is the writable one; name it by databases of its site\n"

static void url_leads_to_databases_of_sites(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {AT("127.0.0.1,127.0.0.2:99,[::1]:98", "\"127.0.0.1\"", "\"127.0.0.2:99\", \"::1\""), ""},
        {AT("127.0.0.1,127.0.0.2:99", "\"127.0.0.1:5432\"", "\"127.0.0.2:98\""), NOWHERE("127.0.0.2")},
        {AT("localhost,127.0.0.2", "\"127.0.0.2\"", "\"127.0.0.3\""), ""}, /* it may be the latter */
        {AT("127.0.0.1,127.0.0.2", "\"127.0.0.2\"", "\"localhost\""), NOWHERE("127.0.0.1")},
        {AT("", "\"a\"", "\"b\""), ""}, /* a socket: it may be either */
        {NETWORK "store { url = \"postgresql://hf@localhost/h?host=127.0.0.9\" }\nsite \"t\" { databases = "
                 "{\"a\"} } site \"u\" { databases = {\"b\"} }",
         ""},
        {NETWORK "store { " POSTGRES " durability = \"local\" }\nsite \"t\" { databases = {\"a\"} }", ""},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void sqlite_serves_one_machine(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {NETWORK "store { }\nnode \"b\" { site = \"s\" roles = {\"director\"} host = \"h2\" }",
         "2: store: SQLite serves the nodes of one machine, but node \"n\" is on this machine and node \"b\" "
         "on h2; give all "
         "nodes the same host\n"},
        {"site \"s\" { } node \"a\" { site = \"s\" roles = {\"director\"} host = \"h1\" } node \"b\" { site "
         "= \"s\" roles = "
         "{\"director\"} host = \"h1\" }",
         ""},
        {"site \"s\" { } node \"a\" { site = \"s\" roles = {\"director\"} host = \"h1\" } node \"b\" { site "
         "= \"s\" roles = "
         "{\"director\"} host = \"h2\" } node \"c\" { site = \"s\" roles = {\"director\"} host = \"h3\" }",
         "1: store: SQLite serves the nodes of one machine, but node \"a\" is on h1 and node \"b\" on h2; "
         "give all nodes the "
         "same host\n"},
        {"", "0: there is no node section; add one for each machine\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void roles_and_sections_agree(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {SITE "\nnode \"n\" {\nsite = \"s\"\nroles = {\"dns\", \"relay\"} }",
         "4: node \"n\": it has the role \"dns\", but no dns section names it; add one, or remove the role\n"
         "4: node \"n\": it has the role \"relay\", but no relay section names it; add one, or remove the "
         "role\n"},
        {SITE "node \"n\" { site = \"s\" roles = {\"mailbox\"} } " DNS RELAY
              "\n" WEB("\nlisten = {\"127.0.0.1:80\"} "),
         "1: node \"n\": it has the role \"mailbox\" without \"director\", whose process starts the "
         "instances on "
         "its node; add \"director\" to its roles\n"
         "1: dns \"d\": node \"n\" lacks the role \"dns\"; add it to the node's roles\n"
         "1: relay \"r\": node \"n\" lacks the role \"relay\"; add it to the node's roles\n"
         "2: web \"w\": node \"n\" lacks the role \"director\"; add it to the node's roles\n"},
        {NETWORK "relay \"r2\" { hostname = \"r2.test\" address = {\"127.0.0.2\"} listen = "
                 "{\"127.0.0.2:26\"}\nnode = \"n\" }",
         "3: relay \"r2\": node \"n\" has relay \"r\" (line 1) already; a node runs one relay\n"},
        {SITE NODE DNS SERVER
         "\nrelay \"r\" { node = \"x\" hostname = \"r.test\" address = {\"127.0.0.2\"} listen = "
         "{\"127.0.0.2:25\"} }",
         "2: relay \"r\": node names \"x\", but the file has no such node; it has \"n\"\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void zones_and_domains(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"site \"s\" { } node \"n\" { site = \"s\" roles = {\"director\"} }\nzone \"t\" { }",
         "2: zone \"t\": no dns section would answer for it; add one\n"},
        {NETWORK "zone \"t\" {\nttl = \"1500ms\" }",
         "3: zone \"t\": ttl must be whole seconds (RFC 2181 8)\n"},
        {NETWORK "zone \"t\" { }\ndomain \"elsewhere\" { server = \"m\" }", ""},
        {NETWORK "domain \"t\" { server = \"m\"\nrecipients = \"list\" }",
         "3: domain \"t\": recipients = \"list\" needs recipients_file = \"PATH\"\n"},
        {NETWORK "domain \"t\" { server = \"m\" recipients = \"list\" recipients_file = \"x\" }", ""},
        {NETWORK "domain \"t\" { server = \"e\" recipients = \"verify\" unknown = \"reject\" }" EXTERNAL(
             "e", "127.0.0.9", ""),
         ""},
        {NETWORK "domain \"t\" { server = \"m\"\nrecipients = \"verify\" }",
         "3: domain \"t\": server \"m\" is builtin, its users are in the store; set recipients = "
         "\"directory\"\n"},
        {NETWORK
         "domain \"t\" { server = \"e\" recipients = \"any\"\nunknown = \"accept\"\nverify_negative_max = "
         "100 }" EXTERNAL("e", "127.0.0.9", ""),
         "3: domain \"t\": unknown is used by recipients = \"verify\" only; set that, or remove it\n"
         "4: domain \"t\": verify_negative_max is used by recipients = \"verify\" only; set that, or remove "
         "it\n"},
        {NETWORK
         "domain \"t\" { server = \"e\" recipients = \"verify\" verify_positive_refresh = \"40d\" }" EXTERNAL(
             "e", "127.0.0.9", ""),
         "2: domain \"t\": verify_positive_refresh is longer than verify_positive_expire; what has expired "
         "cannot be "
         "fresh\n"},
        {NETWORK "domain \"t\" { server = \"m\" postmaster = \"Alice@T\" }", ""},
        {NETWORK "domain \"t\" { server = \"m\"\npostmaster = \"alice@u\" } domain \"u\" { server = \"e\"\n"
                 "postmaster = \"alice@u\" }\n" EXTERNAL("e", "127.0.0.9", ""),
         "3: domain \"t\": postmaster must be an address of a domain of server \"m\"\n"
         "4: domain \"u\": server \"e\" is external and has a postmaster of its own; remove postmaster\n"},
        {NETWORK "domain \"t\" { server = \"m\"\npostmaster = \"alice\" }",
         "3: domain \"t\": postmaster must be an address of a domain of server \"m\"\n"},
        {NETWORK "domain \"t\" { server = \"m\" recipients = \"any\"\nrecipients_file = \"x\" }",
         "3: domain \"t\": recipients_file is used by recipients = \"list\" only; set that, or remove the "
         "file\n"},
        {SERVER_WITH("message_size_max = \"1MiB\" ") "\ndomain \"t\" { server = \"m\"\nrelays = {\"r\"} }",
         "4: domain \"t\": relay \"r\" takes messages of 50MiB, server \"m\" only of 1MiB; make the relay's "
         "message_size_max "
         "no larger\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void ports_of_a_server(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {SERVER_WITH("imap_port = 0 pop3_port = 0 lmtp_port = 0 "), ""},
        {SERVER_WITH("\nsmtp_port = 0 "),
         "3: server \"m\": smtp_port is 0, but relays deliver there (protocol = \"smtp\"); give the port\n"},
        {SERVER_WITH("protocol = \"lmtp\" "),
         "2: server \"m\": lmtp_port is 0, but relays deliver there (protocol = \"lmtp\"); give the port\n"},
        {SERVER_WITH("imap_port = 25 "),
         "2: server \"m\": smtp_port and imap_port are both 25; each service has a port of its own\n"},
        {SERVER_WITH("smtp_port = 65536 "),
         "2: server \"m\": smtp_port must be from 0 to 65535; it is 65536\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void checks_of_a_server(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {SERVER_WITH("imap_port = 143 check { kind = \"smtp\" } check { kind = \"imap\" } check { kind = "
                     "\"tcp\" } check { kind "
                     "= \"command\" command = \"/x\" } check { kind = \"command\" command = \"/y\" } "),
         ""},
        {SERVER_WITH("\ncheck { kind = \"imap\" }\ncheck { kind = \"pop3\" }\ncheck { kind = \"lmtp\" }"),
         "3: server \"m\" check: the server's imap_port is 0; give the port, or remove the check\n"
         "4: server \"m\" check: the server's pop3_port is 0; give the port, or remove the check\n"
         "5: server \"m\" check: the server's lmtp_port is 0; give the port, or remove the check\n"},
        {SERVER_WITH("\ncheck { kind = \"smtp\" }\ncheck { kind = \"smtp\" }"),
         "4: server \"m\" check: the server has a check of this kind in line 3; remove one\n"},
        {SERVER_WITH("\ncheck { kind = \"command\" }\ncheck { kind = \"smtp\"\ncommand = \"/x\" }"),
         "3: server \"m\" check: kind = \"command\" needs command = \"/PATH\"\n"
         "5: server \"m\" check: command is used by kind = \"command\" only; set that, or remove it\n"},
        {SERVER_WITH("check { kind = \"command\" command = \"x\" }"),
         "2: server \"m\" check: command must be an absolute path in quotes\n"},
        {SERVER_WITH("check { kind = \"ping\" }\ncheck { fall = 0 kind = \"smtp\" rise = 65 }"),
         "2: server \"m\" check: kind cannot be \"ping\"; it is one of \"smtp\", \"imap\", \"pop3\", "
         "\"lmtp\", \"tcp\", "
         "\"command\"\n"
         "3: server \"m\" check: fall must be from 1 to 64; it is 0\n"
         "3: server \"m\" check: rise must be from 1 to 64; it is 65\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void builtin_servers_need_nodes(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {SITE "node \"n\" { site = \"s\" roles = {\"director\"} } site \"t\" { } node \"b\" { site = \"t\" "
              "roles = "
              "{\"director\", \"mailbox\"} }\n" SERVER,
         "2: server \"m\": site \"s\" has no node with the role \"mailbox\" to run it; add the role\n"},
        {SITE "node \"n\" { site = \"s\" roles = {\"mailbox\"} }\n" SERVER,
         "1: node \"n\": it has the role \"mailbox\" without \"director\", whose process starts the "
         "instances "
         "on its node; add \"director\" to its roles\n"
         "2: server \"m\": no node has the role \"director\", which starts builtin servers; add it to a "
         "node\n"},
        {SITE
         "node \"n\" { site = \"s\" roles = {\"director\", \"mailbox\"} }\n" EXTERNAL("m", "127.0.0.3", ""),
         ""},
        {SITE NODE DNS RELAY "\nserver \"m\" { kind = \"builtin\" site = \"s\" hostname = \"m.test\"\n"
                             "address = {\"127.0.0.3\", \"::1\"} }",
         "3: server \"m\": an instance of a builtin server has one address; name one\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void fences(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {SERVER_WITH(CREATE("site = \"s\" address = \"same\" fence = \"process\"")), ""},
        {SERVER_WITH(CREATE("site = \"s\" address = \"127.0.0.9\" fence = \"epoch\"")), ""},
        {SERVER_WITH(CREATE("site = \"s\" address = \"same\"\nfence = \"epoch\"")),
         "4: server \"m\" failover create: fence = \"epoch\" cannot free the address that address = \"same\" "
         "takes over; name "
         "a fence agent, such as \"process\"\n"},
        {SERVER_WITH(CREATE("site = \"s\" address = \"same\"")),
         "3: server \"m\" failover create: fence = \"epoch\" cannot free the address that address = \"same\" "
         "takes over; name "
         "a fence agent, such as \"process\"\n"},
        {SERVER_WITH(CREATE("site = \"s\" address = \"127.0.0.3\"")),
         "3: server \"m\" failover create: address is the server's own; write address = \"same\", and name a "
         "fence agent\n"},
        {NETWORK EXTERNAL("x", "127.0.0.8",
                          CREATE("site = \"s\" address = \"127.0.0.9\" provisioner = \"/p\"\nfence = "
                                 "\"epoch\"")),
         "5: server \"x\" failover create: fence = \"epoch\" cannot stop an external server; name a fence "
         "agent\n"},
        {NETWORK EXTERNAL("x", "127.0.0.8",
                          CREATE("site = \"s\" address = \"same\" fence = \"agent\" provisioner = \"/p\"")),
         ""},
        {NETWORK EXTERNAL("x", "127.0.0.8", CREATE("site = \"s\" address = \"same\" fence = \"agent\"")),
         "4: server \"x\" failover create: an external server needs a provisioner of its own; give the "
         "absolute path of an "
         "executable\n"},
        {SERVER_WITH(CREATE("site = \"s\" address = \"same:25\" fence = \"a/b\"\nprovisioner = \"\"")),
         "3: server \"m\" failover create: address must be an IP address without port, in quotes, or "
         "\"same\"\n"
         "3: server \"m\" failover create: fence must be a plain name or an absolute path, in quotes\n"
         "4: server \"m\" failover create: provisioner must be a plain name or an absolute path, in "
         "quotes\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void failover(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {SERVER_WITH("failover {\nmode = \"automatic\" }"),
         "3: server \"m\" failover: mode = \"automatic\" needs a standby server or a create section; add "
         "one, or set mode = "
         "\"manual\"\n"},
        {SERVER_WITH("failover {\nstandby = {\"m\"} }"),
         "3: server \"m\" failover: a server is no standby of itself; remove it\n"},
        {SERVER_WITH("failover { mode = \"automatic\" standby = {\"x\"} }\n") EXTERNAL("x", "127.0.0.8", ""),
         ""},
        {SITE "node \"n\" { site = \"s\" roles = {\"relay\"} }\n" RELAY EXTERNAL("x", "127.0.0.8", "")
             EXTERNAL("m", "127.0.0.3", "failover { standby = {\"x\"}\nmode = \"automatic\" } "),
         "6: server \"m\" failover: no node has the role \"director\", which would decide; add it to a "
         "node\n"},
        {"site \"t\" { } site \"u\" { } " SERVER_WITH(
             "failover {\ncreate { site = \"t\" address = \"127.0.0.8\" }\ncreate { site = \"u\" address = "
             "\"127.0.0.9\" "
             "provisioner = \"/p\" } }"),
         "3: server \"m\" failover create: site \"t\" has no node with the role \"mailbox\" to create it on; "
         "add the role\n"
         "4: server \"m\" failover create: site \"u\" has no node that could run the provisioner; add one\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void an_address_and_port_has_one_holder(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {NETWORK WEB("\nlisten = {\"127.0.0.2:80\", \"127.0.0.2:25\"} "),
         "1: relay \"r\": listen 127.0.0.2:25 is held by web \"w\" already (127.0.0.2:25, line 3); give one "
         "of them "
         "another\n"},
        {NETWORK WEB("\nlisten = {\"127.0.0.3:25\"} "),
         "1: server \"m\": smtp_port 127.0.0.3:25 is held by web \"w\" already (127.0.0.3:25, line 3); give "
         "one of them "
         "another\n"},
        {NETWORK WEB("\nlisten = {\"0.0.0.0:25\"} "),
         "1: relay \"r\": listen 127.0.0.2:25 is held by web \"w\" already (0.0.0.0:25, line 3); give one of "
         "them another\n"
         "1: server \"m\": smtp_port 127.0.0.3:25 is held by web \"w\" already (0.0.0.0:25, line 3); give "
         "one of them "
         "another\n"},
        {NETWORK WEB("\nlisten = {\"[::]:53\"} "), "1: dns \"d\": listen 127.0.0.1:53 is held by web \"w\" "
                                                   "already ([::]:53, line 3); give one of them another\n"},
        {NETWORK WEB("listen = {\"0.0.0.0:80\", \"[::]:80\"} "), ""},
        {SITE NODE DNS EXTERNAL("x", "192.0.2.1",
                                "") "relay \"r\" { node = \"n\" hostname = \"r.test\" address = "
                                    "{\"127.0.0.2\"} listen = {\"0.0.0.0:25\"} }",
         ""},
        {NETWORK EXTERNAL("x", "127.0.0.2", ""), "2: server \"x\": smtp_port 127.0.0.2:25 is held by relay "
                                                 "\"r\" already (127.0.0.2:25, line 1); give one of them "
                                                 "another\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void a_server_has_its_addresses_alone(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {NETWORK EXTERNAL("x", "127.0.0.3", "smtp_port = 2600 "),
         "2: server \"x\": address 127.0.0.3 is held by server \"m\" (line 1) already; a server's is its "
         "own\n"},
        {NETWORK EXTERNAL("x", "127.0.0.8",
                          CREATE("site = \"s\" address = \"127.0.0.3\" fence = \"a\" provisioner = \"/p\"")),
         "4: server \"x\": address 127.0.0.3 is held by server \"m\" (line 1) already; a server's is its "
         "own\n"},
        {SERVER_WITH(
             "failover { create { site = \"s\" address = \"127.0.0.8\" } create { site = \"s\" address = "
             "\"127.0.0.8\" } } "),
         ""},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void a_host_name_has_one_holder(void **state)
{
    (void)state;
    check_findings(
        NETWORK "server \"x\" { kind = \"external\" site = \"s\" address = {\"127.0.0.8\"}\nhostname = "
                "\"R.Test\" }",
        "3: server \"x\": hostname r.test is that of relay \"r\" (line 1) already; give each its own\n");
}

#define PIN "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789"

static void tls_keys_agree(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {SERVER_WITH("imaps_port = 993\nsubmissions_port = 465\n"),
         "2: server \"m\": imaps_port needs a certificate; add certificates, or remove it\n"
         "3: server \"m\": submissions_port needs a certificate; add certificates, or remove it\n"},
        {SERVER_WITH(
             "pop3_port = 110 pop3s_port = 110 certificates = {\"c\"}\n") "certificate \"c\" { certificate = "
                                                                          "\"c.pem\" key = \"c.key\" }",
         "2: server \"m\": pop3_port and pop3s_port are both 110; each service has a port of its own\n"},
        {NETWORK EXTERNAL("x", "127.0.0.4", "proxy_from = {\"192.0.2.0/24\"}"),
         "3: server \"x\": what an external server believes is its own matter; remove proxy_from\n"},
        {SERVER_WITH("proxy_from = {\"192.0.2.0/24\", \"192.0.2.1\", "
                     "\"::ffff:192.0.2.1\",\n\"192.0.2.1/24\",\n\"x\"}"),
         "2: server \"m\": proxy_from has \"::ffff:192.0.2.1\" twice; remove one\n"
         "3: server \"m\": proxy_from has \"192.0.2.1/24\", whose bits behind the prefix are not 0; give the "
         "network\n"
         "4: server \"m\": proxy_from must be a list of IP addresses and networks, such as {\"192.0.2.1\", "
         "\"2001:db8::/32\"}\n"},
        {NETWORK EXTERNAL("x", "127.0.0.4", "tls = \"pinned\" tls_pins = {\"" PIN "\"}"), ""},
        {NETWORK EXTERNAL("x", "127.0.0.4", "tls = \"required\" tls_ca = \"ca.pem\""), ""},
        {NETWORK EXTERNAL("x", "127.0.0.4", "tls = \"pinned\""),
         "3: server \"x\": tls = \"pinned\" needs tls_pins: give the fingerprint of the server's key\n"},
        {NETWORK EXTERNAL("x", "127.0.0.4", "tls = \"pinned\" tls_pins = {}"),
         "3: server \"x\": tls = \"pinned\" needs tls_pins: give the fingerprint of the server's key\n"},
        {NETWORK EXTERNAL("x", "127.0.0.4", "tls_pins = {\"" PIN "\"}\ntls_ca = \"ca.pem\""),
         "3: server \"x\": tls_pins is used by tls = \"pinned\" only; set that, or remove it\n"
         "4: server \"x\": tls_ca is used by tls = \"required\" only; set that, or remove it\n"},
        {NETWORK EXTERNAL("x", "127.0.0.4", "tls = \"pinned\" tls_pins = {\"" PIN "0\",\n\"xx\"}"),
         "3: server \"x\": tls_pins must be a list of SHA-256 fingerprints of keys, each 64 hexadecimal "
         "digits in "
         "quotes\n"
         "4: server \"x\": tls_pins must be a list of SHA-256 fingerprints of keys, each 64 hexadecimal "
         "digits in "
         "quotes\n"},
        {NETWORK "certificate \"c\" { certificate = \"c.pem\" key = \"c.key\" }\n" EXTERNAL(
             "x", "127.0.0.4", "certificates = {\"c\"}"),
         "4: server \"x\": an external server has certificates of its own; remove certificates\n"},
        {NETWORK "certificate \"c\" {\ncertificate = \"c.pem\" }",
         "2: certificate \"c\": key is missing; add it, a path in quotes, not empty\n"},
        {SITE NODE DNS SERVER "relay \"r\" { node = \"n\" hostname = \"r.test\" address = {\"127.0.0.2\"} "
                              "listen = {\"127.0.0.2:25\"}\ncertificates = {\"c\"} }",
         "2: relay \"r\": certificates names \"c\", but the file has no certificate section; add one\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

#define RELAY_WITH(keys)                                                                                     \
    SITE NODE DNS SERVER "relay \"r\" { node = \"n\" hostname = \"r.test\" address = {\"127.0.0.2\"} "       \
                         "listen = {\"127.0.0.2:25\"}\n" keys " }"
#define BAD_SMARTHOST                                                                                        \
    "2: relay \"r\": smarthost must be \"HOST:PORT\", such as \"mail.example.net:25\" or \"192.0.2.1:25\"\n"
#define OWN_SMARTHOST                                                                                        \
    "2: relay \"r\": smarthost is of this network itself, so mail would not leave it; name another\n"

static void a_smarthost_is_elsewhere(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {RELAY_WITH("smarthost = \"mail.example.net:587\" outside_tls = \"required\""), ""},
        {RELAY_WITH("smarthost = \"192.0.2.1:25\""), ""},
        {RELAY_WITH("smarthost = \"[2001:db8::1]:25\""), ""},
        {RELAY_WITH("smarthost = \"mail.example.net\""), BAD_SMARTHOST},
        {RELAY_WITH("smarthost = \"mail.example.net:0\""), BAD_SMARTHOST},
        {RELAY_WITH("smarthost = \"mail.example.net:65536\""), BAD_SMARTHOST},
        {RELAY_WITH("smarthost = \"2001:db8::1\""), BAD_SMARTHOST},
        {RELAY_WITH("smarthost = \":25\""), BAD_SMARTHOST},
        {RELAY_WITH("smarthost = \"R.test:25\""), OWN_SMARTHOST},
        {RELAY_WITH("smarthost = \"127.0.0.2:2525\""), OWN_SMARTHOST},
        {RELAY_WITH("outside_tls = \"required\""),
         "2: relay \"r\": outside_tls = \"required\" asks for a certificate of the smarthost's name; give a "
         "smarthost by name\n"},
        {RELAY_WITH("outside_tls = \"required\" smarthost = \"192.0.2.1:25\""),
         "2: relay \"r\": outside_tls = \"required\" asks for a certificate of the smarthost's name; give a "
         "smarthost by name\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

#define SHORT_CUSTODY                                                                                        \
    ": relay \"r\": custody_age must be longer than expire and safety_net of any relay together, or a "      \
    "message could be taken twice\n"

static void a_message_is_known_while_it_may_come_again(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {RELAY_WITH("expire = \"20d\" safety_net = \"9d\""), ""},
        {RELAY_WITH("expire = \"20d\" safety_net = \"10d\" custody_age = \"30d\""), "2" SHORT_CUSTODY},
        {RELAY_WITH("expire = \"20d\" safety_net = \"10d\""), ""},
        {RELAY_WITH("expire = \"90d\" safety_net = \"90d\""), ""},
        {RELAY_WITH("custody_age = \"7d\""), "2" SHORT_CUSTODY},
        {RELAY_WITH("custody_age = \"8d\""), ""},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void a_spool_is_beside_a_shared_store(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {RELAY_WITH("spool = \"yes\""),
         "2: relay \"r\": spool = \"yes\" is for a store with a url of postgresql: only, which can be out of "
         "reach; this store is where the spool would be: remove it\n"},
        {RELAY_WITH("spool = \"no\""), ""},
        {RELAY_WITH("spool = \"yes\"") " store { url = \"postgresql:///holdfast\" durability = \"local\" }",
         ""},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

#define TWO_SITES(keys)                                                                                      \
    NETWORK "store { " POSTGRES                                                                              \
            " }\nsite \"t\" { databases = {\"localhost\"} } node \"tn\" { site = \"t\" roles = "             \
            "{\"director\"} }\nsite \"u\" { " keys " }\n"
#define NODE_U "node \"un\" { site = \"u\" roles = {\"director\"} }"

static void a_site_is_fenced_as_a_whole(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {TWO_SITES("databases = {\"b\"} fence = \"/p\"") NODE_U, ""},
        {TWO_SITES("databases = {\"b\"} fence = \"agent\" fence_after = \"20s\"") NODE_U, ""},
        {TWO_SITES("databases = {\"b\"}\nfence = \"epoch\"") NODE_U,
         "5: site \"u\": fence = \"epoch\" is for an instance of a server, and turns no site off; name an "
         "agent "
         "that does, such as one of its power distribution, or remove it\n"},
        {TWO_SITES("databases = {\"b\"} fence = \"process\"") NODE_U,
         "4: site \"u\": fence = \"process\" is for an instance of a server, and turns no site off; name an "
         "agent that does, such as one of its power distribution, or remove it\n"},
        {TWO_SITES("databases = {\"b\"} fence = \"/p\""),
         "4: site \"u\": fence needs a node there with the role \"relay\" or \"director\", by which it is "
         "known "
         "that the site lives; add one, or remove it\n"},
        {"store { " POSTGRES
         " } site \"t\" { databases = {\"localhost\"} }\nsite \"s\" { databases = {\"b\"}\nfence = "
         "\"/p\" } " NODE DNS RELAY SERVER,
         "3: site \"s\": fence needs a node of another site with the role \"director\", which calls the "
         "agent; "
         "add one, or remove it\n"},
        {NETWORK "site \"t\" { } node \"tn\" { site = \"t\" roles = {\"director\"} }\nsite \"u\" { fence = "
                 "\"/p\" }" NODE_U,
         "3: site \"u\": fence is for a site whose copies new mail waits for: with durability "
         "\"replicated\", "
         "and databases there; name them, or remove it\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_store_is_told),
        cmocka_unit_test(copies_want_databases_in_two_sites),
        cmocka_unit_test(url_leads_to_databases_of_sites),
        cmocka_unit_test(sqlite_serves_one_machine),
        cmocka_unit_test(roles_and_sections_agree),
        cmocka_unit_test(zones_and_domains),
        cmocka_unit_test(ports_of_a_server),
        cmocka_unit_test(checks_of_a_server),
        cmocka_unit_test(builtin_servers_need_nodes),
        cmocka_unit_test(a_smarthost_is_elsewhere),
        cmocka_unit_test(a_message_is_known_while_it_may_come_again),
        cmocka_unit_test(a_spool_is_beside_a_shared_store),
        cmocka_unit_test(fences),
        cmocka_unit_test(a_site_is_fenced_as_a_whole),
        cmocka_unit_test(failover),
        cmocka_unit_test(an_address_and_port_has_one_holder),
        cmocka_unit_test(a_server_has_its_addresses_alone),
        cmocka_unit_test(a_host_name_has_one_holder),
        cmocka_unit_test(tls_keys_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
