#include "certificates.h"

#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"

extern char **environ;

static void run(const char *const *argv)
{
    pid_t pid;
    int status;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", 1 /* O_WRONLY */, 0);
    assert_int_equal(posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

void certificates_open(struct certificates *c)
{
    snprintf(c->folder, sizeof(c->folder), "/tmp/holdfast-certificates-XXXXXX");
    assert_non_null(mkdtemp(c->folder));
}

void certificates_close(struct certificates *c)
{
    run((const char *const[]){"rm", "-r", c->folder, NULL});
}

const char *certificates_path(const struct certificates *c, const char *file)
{
    static char paths[32][128];
    static unsigned next;
    char *path = paths[next++ % 32];
    snprintf(path, sizeof(paths[0]), "%s/%s", c->folder, file);
    return path;
}

void certificates_sign(const struct certificates *c, const char *name, const char *issuer, const char *names)
{
    char command[1024];
    snprintf(command, sizeof(command),
             "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 "
             "-subj /CN=%s"
             " -addext subjectAltName=%s -CA %s.pem -CAkey %s.key -keyout %s.key -out %s.pem && cat %s.pem "
             ">>%s.pem",
             c->folder, name, names, issuer, issuer, name, name, issuer, name);
    run((const char *const[]){"sh", "-c", command, NULL});
}

void certificates_make(const struct certificates *c, const char *name, const char *kind, const char *names)
{
    char certificate[64], key[64], subject[64], alternatives[256];
    snprintf(certificate, sizeof(certificate), "%s.pem", name);
    snprintf(key, sizeof(key), "%s.key", name);
    snprintf(subject, sizeof(subject), "/CN=%s", name);
    snprintf(alternatives, sizeof(alternatives), "subjectAltName=%s", names);
    bool ec = strcmp(kind, "ec") == 0, weak = strcmp(kind, "weak") == 0;
    const char *algorithm = ec ? "ec" : weak ? "rsa:1024" : "rsa:2048";
    const char *curve = ec     ? "ec_paramgen_curve:prime256v1"
                        : weak ? "rsa_keygen_bits:1024"
                               : "rsa_keygen_bits:2048";
    run((const char *const[]){"openssl", "req", "-x509", "-newkey", algorithm, "-pkeyopt", curve, "-nodes",
                              "-days", "30", "-subj", subject, "-addext", alternatives, "-keyout",
                              certificates_path(c, key), "-out", certificates_path(c, certificate), NULL});
}
