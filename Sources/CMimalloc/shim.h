#include <mimalloc.h>

// The names of version 2.1, for those before it too.
#if MI_MALLOC_VERSION < 210
static const mi_option_t mi_option_purge_delay = mi_option_decommit_delay;
static const mi_option_t mi_option_purge_extend_delay = mi_option_decommit_extend_delay;
#endif
