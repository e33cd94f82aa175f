#include <stdint.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
