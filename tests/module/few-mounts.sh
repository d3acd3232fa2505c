#!/bin/sh
# Takes mounts that no test looks at out of this mount namespace, where that is permitted. Where a runspace opens,
# .NET reads the list of the mounts four times for each of them: without these the tests take a third less of
# the processor.
awk '$5 ~ "^/(sys|run)/" && $5 !~ "^/sys/fs/cgroup(/(memory|cpu))?$" { print $5 }' /proc/self/mountinfo |
    sort -r | xargs -r -n 1 umount -l 2>/dev/null
exit 0
