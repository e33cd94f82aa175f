#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// toml++ behind plain C. No exception crosses this interface, and the results are plain data in one array.

enum ctoml_kind {
    CTOML_TABLE,
    CTOML_ARRAY,
    CTOML_STRING,
    CTOML_INTEGER,
    CTOML_FLOAT,
    CTOML_BOOLEAN,
    CTOML_DATE // a date, a time or both; the text is its TOML form
};

// A node of the tree, in preorder: the nodes of a table or an array follow it directly.
struct ctoml_node {
    int32_t kind;
    uint32_t children;    // of a table or an array
    const char *key;      // in a table; null elsewhere; not ended by a NUL
    size_t key_count;
    uint32_t key_line;    // from 1; 0 when unknown
    uint32_t key_column;
    uint32_t line;        // of the value
    uint32_t column;
    const char *text;     // CTOML_STRING, CTOML_DATE; not ended by a NUL
    size_t text_count;
    int64_t integer;
    double real;
    bool boolean;
};

typedef struct ctoml_document ctoml_document;

// Parses a document. Returns null when memory runs out. The caller frees the document with ctoml_free.
ctoml_document *ctoml_parse(const char *text, size_t count);
void ctoml_free(ctoml_document *document);

// The nodes, the root table first; the document owns them. There are none when the text is not TOML.
const struct ctoml_node *ctoml_nodes(const ctoml_document *document, size_t *count);

// The error in the text, ended by a NUL, and its place; null when there is no error. The document owns the text.
const char *ctoml_error(const ctoml_document *document, uint32_t *line, uint32_t *column);

#ifdef __cplusplus
}
#endif
