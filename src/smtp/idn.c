#include "smtp/idn.h"

#include <idn2.h>
#include <string.h>

#include "base/err.h"

int idn_to_ascii(struct str domain, char out[IDN_NAME_MAX + 1])
{
    char text[IDN_NAME_MAX + 1], *made = NULL;
    if (domain.len > IDN_NAME_MAX)
        return ERR_SYNTAX;
    memcpy(text, domain.ptr, domain.len);
    text[domain.len] = '\0';
    if (str_is_ascii(domain)) {
        ascii_lower_inplace(text, domain.len);
        memcpy(out, text, domain.len + 1);
        return 0;
    }
    int rc = idn2_to_ascii_8z(text, &made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    bool fits = rc == IDN2_OK && strlen(made) <= IDN_NAME_MAX;
    if (fits)
        memcpy(out, made, strlen(made) + 1);
    idn2_free(made);
    return fits ? 0 : ERR_SYNTAX;
}
