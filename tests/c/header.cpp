// The header serves C++ too: this file is compiled, linked against the library and run.
#include "rust_runspaces.h"

int main() { return rr_abi_version() == RR_ABI_VERSION && rr_pool_wake(0) == RR_STATUS_BAD_HANDLE ? 0 : 1; }
