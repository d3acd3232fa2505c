/*
 * What Debian's libgcc_s for x86-64 has under a version that musl's loader passes over, though it is
 * the library's own. Only for the tests: the libgcc_s of systems with musl is built for that.
 */
unsigned __cpu_model[8];

int __cpu_indicator_init(void);

int __cpu_indicator_init(void)
{
    return 0;
}
