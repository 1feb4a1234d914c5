// formats/json.c - members of JSON objects by name and type.
// Room: see json.h. Door: formats/formats.h.
#include "formats/json.h"

bool json_document(str bytes, json_t **ret, struct err *err) {
    str text = str_trim(bytes);
    if (!str_starts(text, S("{"))) return err_set(err, ERR_UNRECOGNIZED, 0, "not a JSON object");
    json_error_t why;
    json_t *document = json_loadb(text.p, text.len, JSON_ALLOW_NUL, &why);
    if (!document) {
        u64 at = why.position > 0 ? (u64)why.position : 0;
        return err_set(err, ERR_MALFORMED, at, "JSON: %s", why.text);
    }
    *ret = document;
    return true;
}

str json_text_of(const json_t *object, const char *member) {
    const json_t *value = json_object_get(object, member);
    if (!json_is_string(value)) return (str){0};
    return (str){json_string_value(value), json_string_length(value)};
}

double json_real_of(const json_t *object, const char *member) {
    return json_number_value(json_object_get(object, member));
}

i64 json_int_of(const json_t *object, const char *member) {
    const json_t *value = json_object_get(object, member);
    if (json_is_integer(value)) return (i64)json_integer_value(value);
    double real = json_number_value(value);
    return real > -9e18 && real < 9e18 ? (i64)real : 0; // what an i64 holds
}

const json_t *json_list_of(const json_t *object, const char *member) {
    const json_t *value = json_object_get(object, member);
    return json_is_array(value) ? value : NULL;
}
