// stdbool first: without it ldns/common.h defines _Bool as signed char.
#include <stdbool.h>
#include <ldns/ldns.h>
