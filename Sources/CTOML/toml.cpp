#include "ctoml.h"

#include <stdexcept>

namespace {
// An assumption of the parser that some damaged texts break, such as a key after "[".
struct unexpected_text : std::logic_error {
    using logic_error::logic_error;
};
} // namespace

// When an assumption fails, toml++ ends the process; with NDEBUG it continues regardless. Neither may happen.
#undef NDEBUG
#define TOML_ASSERT(expression)                                                                                        \
    do {                                                                                                               \
        if (!(expression)) throw unexpected_text("unexpected text");                                                   \
    } while (false)
// A limit for nested arrays and inline tables, because the parser and the destructors recurse.
#define TOML_MAX_NESTED_VALUES 32
#include <toml++/toml.h>

#include <algorithm>
#include <deque>
#include <sstream>
#include <string>
#include <vector>

struct ctoml_document {
    std::vector<ctoml_node> nodes;
    std::deque<std::string> texts; // never moves what it holds
    std::string error;
    uint32_t line = 0;
    uint32_t column = 0;
};

namespace {

constexpr size_t maximum_depth = 64;
constexpr size_t maximum_dots = 64;
// In longer texts, the line of unexpected text is not looked for.
constexpr uint32_t maximum_lines = 5000;

struct failure {
    const char *message;
    toml::source_position where;
};

const std::string &keep(ctoml_document &document, std::string text) {
    return document.texts.emplace_back(std::move(text));
}

void place(ctoml_node &node, toml::source_position position) {
    node.line = position.line;
    node.column = position.column;
}

void add(ctoml_document &document, const toml::node &value, const toml::key *key, size_t depth) {
    if (depth > maximum_depth)
        throw failure{"tables are nested too deeply", value.source().begin};
    ctoml_node node{};
    place(node, value.source().begin);
    if (key) {
        const std::string &text = keep(document, std::string(key->str()));
        node.key = text.data();
        node.key_count = text.size();
        node.key_line = key->source().begin.line;
        node.key_column = key->source().begin.column;
    }
    auto set_text = [&](int kind, std::string text) {
        const std::string &kept = keep(document, std::move(text));
        node.kind = kind;
        node.text = kept.data();
        node.text_count = kept.size();
    };
    auto written = [](const auto &date) {
        std::ostringstream stream;
        stream << date;
        return stream.str();
    };
    switch (value.type()) {
    case toml::node_type::table:
        node.kind = CTOML_TABLE;
        node.children = static_cast<uint32_t>(value.as_table()->size());
        break;
    case toml::node_type::array:
        node.kind = CTOML_ARRAY;
        node.children = static_cast<uint32_t>(value.as_array()->size());
        break;
    case toml::node_type::string: set_text(CTOML_STRING, value.as_string()->get()); break;
    case toml::node_type::integer:
        node.kind = CTOML_INTEGER;
        node.integer = value.as_integer()->get();
        break;
    case toml::node_type::floating_point:
        node.kind = CTOML_FLOAT;
        node.real = value.as_floating_point()->get();
        break;
    case toml::node_type::boolean:
        node.kind = CTOML_BOOLEAN;
        node.boolean = value.as_boolean()->get();
        break;
    case toml::node_type::date: set_text(CTOML_DATE, written(value.as_date()->get())); break;
    case toml::node_type::time: set_text(CTOML_DATE, written(value.as_time()->get())); break;
    default: set_text(CTOML_DATE, written(value.as_date_time()->get())); break;
    }
    document.nodes.push_back(node);
    if (const toml::table *table = value.as_table()) {
        for (const auto &[name, child] : *table)
            add(document, child, &name, depth + 1);
    } else if (const toml::array *array = value.as_array()) {
        for (const auto &child : *array)
            add(document, child, nullptr, depth + 1);
    }
}

// Dotted keys make a table for each dot, and toml++ sets no limit. No honest line has that many outside strings.
void bound_dots(std::string_view text) {
    size_t dots = 0;
    uint32_t line = 1;
    char quote = 0;
    for (const char character : text) {
        if (character == '\n') {
            line += 1;
            dots = 0;
            quote = 0;
        } else if (quote) {
            if (character == quote) quote = 0;
        } else if (character == '"' || character == '\'') {
            quote = character;
        } else if (character == '#') {
            quote = '\n';
        } else if (character == '.' && ++dots > maximum_dots) {
            throw failure{"tables are nested too deeply", {line, 1}};
        }
    }
}

// The first line at which an assumption of the parser fails.
uint32_t line_of_unexpected_text(std::string_view text) {
    uint32_t line = 0;
    for (size_t end = 0; end < text.size() && line < maximum_lines; end += 1) {
        end = std::min(text.find('\n', end), text.size());
        line += 1;
        try {
            (void)toml::parse(text.substr(0, end));
        } catch (const unexpected_text &) {
            return line;
        } catch (const toml::parse_error &) {
            // A statement over several lines is still incomplete.
        }
    }
    return std::max(line, 1u);
}

void fail(ctoml_document &document, std::string_view message, toml::source_position where) {
    document.nodes.clear();
    document.error = message;
    document.line = where.line;
    document.column = where.column;
}

void read(ctoml_document &document, std::string_view text) {
    try {
        bound_dots(text);
        const toml::table root = toml::parse(text);
        add(document, root, nullptr, 0);
    } catch (const toml::parse_error &error) {
        fail(document, error.description(), error.source().begin);
    } catch (const failure &found) {
        fail(document, found.message, found.where);
    } catch (const unexpected_text &found) {
        fail(document, found.what(), {line_of_unexpected_text(text), 1});
    }
}

} // namespace

extern "C" ctoml_document *ctoml_parse(const char *text, size_t count) {
    ctoml_document *document = nullptr;
    try {
        document = new ctoml_document;
        read(*document, std::string_view(text, count));
        return document;
    } catch (...) {
        delete document;
        return nullptr;
    }
}

extern "C" void ctoml_free(ctoml_document *document) { delete document; }

extern "C" const ctoml_node *ctoml_nodes(const ctoml_document *document, size_t *count) {
    *count = document->nodes.size();
    return document->nodes.data();
}

extern "C" const char *ctoml_error(const ctoml_document *document, uint32_t *line, uint32_t *column) {
    *line = document->line;
    *column = document->column;
    return document->error.empty() ? nullptr : document->error.c_str();
}
