#include "auth/users_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"

#define ADDRESS_MAX_BYTES 254 /* RFC 5321 4.5.3.1.3: a path is 256 octets with its <> */
#define LOCAL_MAX_BYTES   64  /* RFC 5321 4.5.3.1.1 */
#define EXTRA_FIELD       7   /* counted from 0: the address */

struct reader {
    const char *path;
    struct err_buf *eb;
    int line;
    size_t capacity;
    struct users_file file;
    struct map seen; /* address -> itself */
};

static int complain(const struct reader *r, const char *what)
{
    return err_set(r->eb, ERR_SYNTAX, "%s:%d: %s", r->path, r->line, what);
}

/* A dot-atom's characters (RFC 5322 3.2.3): no quoting in a user's name. */
static bool is_local_char(char c)
{
    return ascii_isalnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

static bool is_domain_char(char c)
{
    return ascii_isalnum(c) || c == '-' || c == '.';
}

static bool is_address(struct str address)
{
    size_t at = str_find(address, '@', 0);
    if (at == SIZE_MAX || at == 0 || at > LOCAL_MAX_BYTES || address.len > ADDRESS_MAX_BYTES)
        return false;
    struct str domain = str_sub(address, at + 1, SIZE_MAX);
    if (domain.len == 0 || domain.ptr[0] == '.' || domain.ptr[domain.len - 1] == '.')
        return false;
    for (size_t i = 0; i < address.len; i++)
        if (i != at && !(i < at ? is_local_char : is_domain_char)(address.ptr[i]))
            return false;
    return true;
}

static void add_entry(struct reader *r, const char *address, const char *verifier)
{
    struct users_file *f = &r->file;
    if (f->count == r->capacity) {
        r->capacity = r->capacity ? r->capacity * 2 : 64;
        f->entries = mem_reallocarray(f->entries, r->capacity, sizeof(*f->entries));
    }
    f->entries[f->count++] = (struct users_file_entry){
        .address = str_from(address), .verifier = str_from(verifier), .line = r->line};
}

static int read_address(struct reader *r, struct str field, char **ret_address)
{
    if (!is_address(field))
        return complain(
            r, "the line must start with an address (name@domain, in ASCII, without quotes) and a colon");
    char *address = arena_strdup(&r->file.arena, field);
    CHECK(address);
    ascii_lower_inplace(address, field.len);
    if (map_set(&r->seen, str_from(address), address))
        return complain(r, "the address was there before; remove one of the lines");
    *ret_address = address;
    return 0;
}

static int read_verifier(struct reader *r, struct str field, char **ret_verifier)
{
    char text[PASSWORD_VERIFIER_MAX];
    struct err_buf eb;
    const char *scheme = str_starts(field, STR("$")) ? "{CRYPT}" : "";
    int len = snprintf(text, sizeof(text), "%s%.*s", scheme, STR_ARG(field));
    if ((size_t)len >= sizeof(text))
        return complain(r, "the hash is too long");
    if (password_verifier_check((struct str){text, (size_t)len}, &eb) < 0)
        return err_set(r->eb, ERR_SYNTAX, "%s:%d: the hash cannot be used: %s", r->path, r->line, eb.text);
    char *verifier = arena_strdup(&r->file.arena, (struct str){text, (size_t)len});
    CHECK(verifier);
    *ret_verifier = verifier;
    return 0;
}

/* Behind address and hash. */
static int check_rest(struct reader *r, struct str rest)
{
    struct str field;
    for (size_t i = 2; str_split(&rest, ':', &field); i++)
        if (i == EXTRA_FIELD && (field.len > 0 || rest.ptr))
            return complain(r, "extra fields (after the shell) are not supported; remove them");
    return 0;
}

static int read_line(struct reader *r, struct str line)
{
    struct str rest = line, address_field = STR_EMPTY, hash_field = STR_EMPTY;
    char *address = NULL, *verifier = NULL;
    if (line.len > USERS_FILE_LINE_MAX)
        return complain(r, "the line is too long");
    if (line.len > 0 && memchr(line.ptr, '\0', line.len))
        return complain(r, "a NUL byte; the file must be plain text");
    if (str_trim(line).len == 0 || line.ptr[0] == '#')
        return 0;
    str_split(&rest, ':', &address_field);
    if (!rest.ptr)
        return complain(r, "the line must be address:{SCHEME}hash");
    str_split(&rest, ':', &hash_field);
    int err = read_address(r, address_field, &address);
    if (err == 0)
        err = read_verifier(r, hash_field, &verifier);
    if (err == 0)
        err = check_rest(r, rest);
    if (err == 0)
        add_entry(r, address, verifier);
    return err;
}

int users_file_parse(struct str text, const char *path, struct users_file *ret_file, struct err_buf *eb)
{
    struct reader r = {.path = path, .eb = eb};
    struct str line;
    int err = 0;
    if (text.len > USERS_FILE_MAX_BYTES)
        return err_set(eb, ERR_LIMIT, "%s: the file is larger than %d bytes", path, USERS_FILE_MAX_BYTES);
    map_init(&r.seen);
    arena_init(&r.file.arena, 4 * (size_t)USERS_FILE_MAX_BYTES);
    while (err == 0 && str_split(&text, '\n', &line)) {
        r.line++;
        if (str_ends(line, STR("\r")))
            line.len--;
        err = read_line(&r, line);
    }
    map_fini(&r.seen);
    if (err < 0)
        users_file_free(&r.file);
    else
        *ret_file = r.file;
    return err;
}

/* 0 or an errno. */
static int fill(int fd, struct buf *text)
{
    for (;;) {
        size_t room = text->cap_max - text->len < 65536 ? text->cap_max - text->len : 65536;
        char *place = room > 0 ? buf_reserve(text, room) : NULL;
        if (!place)
            return 0; /* too large: the parser says so */
        ssize_t got = read(fd, place, room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? errno : 0;
        buf_commit(text, (size_t)got);
    }
}

int users_file_load(const char *path, struct users_file *ret_file, struct err_buf *eb)
{
    struct buf text;
    int fd = open(path, O_RDONLY | O_CLOEXEC), error = fd < 0 ? errno : 0;
    buf_init(&text, USERS_FILE_MAX_BYTES + 1);
    if (fd >= 0) {
        error = fill(fd, &text);
        close(fd);
    }
    int err = error == 0
                  ? users_file_parse(buf_str(&text), path, ret_file, eb)
                  : err_set(eb, err_from_errno(error), "%s: cannot be read: %s", path, strerror(error));
    buf_fini(&text);
    return err;
}

void users_file_free(struct users_file *f)
{
    free(f->entries);
    arena_fini(&f->arena);
    *f = (struct users_file){.entries = NULL};
}
