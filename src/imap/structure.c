#include "imap/structure.h"

#include "base/err.h"

static bool is_known(const struct imap_session *s, int64_t body_id, enum imap_structure_need need)
{
    return s->structure && s->structure_body_id == body_id &&
           (need == IMAP_STRUCTURE_HEADER || s->structure_whole);
}

static void begin(struct imap_session *s, struct imap_structure_run *run)
{
    s->structure = NULL;
    arena_clear(&s->structure_arena);
    mime_parser_init(&run->parser, &s->structure_arena, NULL);
    run->active = true;
    run->offset = 0;
}

static void finish(struct imap_session *s, struct imap_structure_run *run, int64_t body_id, bool whole)
{
    s->structure = mime_parser_finish(&run->parser);
    s->structure_body_id = body_id;
    s->structure_whole = whole;
    mime_parser_fini(&run->parser);
    run->active = false;
}

void imap_structure_stop(struct imap_session *s, struct imap_structure_run *run)
{
    if (!run->active)
        return;
    s->structure = NULL;
    mime_parser_fini(&run->parser);
    run->active = false;
}

enum imap_source_state imap_structure_step(struct imap_session *s, struct imap_structure_run *run,
                                           struct imap_source *source, int64_t body_id,
                                           enum imap_structure_need need)
{
    if (need == IMAP_STRUCTURE_NONE || (!run->active && is_known(s, body_id, need)))
        return IMAP_SOURCE_READY;
    if (!run->active)
        begin(s, run);
    for (;;) {
        struct str data;
        enum imap_source_state state = imap_source_get(source, run->offset, &data);
        if (state == IMAP_SOURCE_FAILED)
            imap_structure_stop(s, run);
        if (state != IMAP_SOURCE_READY)
            return state;
        mime_parser_feed(&run->parser, data);
        run->offset += data.len;
        bool whole = data.len == 0;
        if (whole || (need == IMAP_STRUCTURE_HEADER && run->parser.header_done)) {
            finish(s, run, body_id, whole);
            return IMAP_SOURCE_READY;
        }
    }
}
