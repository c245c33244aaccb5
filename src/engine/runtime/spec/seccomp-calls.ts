/**
 * The system calls of the default profile, by what they are for. Which calls are in is what containers everywhere rely on (the
 * default of Docker's engine); names that a kernel, an architecture or libseccomp does not know are ignored by the OCI runtime.
 */
function calls(text: string): readonly string[] {
  return text.split(/\s+/).filter((name) => name !== '')
}

/** Always allowed. */
export const ALLOWED_CALLS: readonly string[] = [
  ...calls(`
    open openat openat2 creat close close_range dup dup2 dup3 fcntl fcntl64 flock ioctl
    read readv pread64 preadv preadv2 readahead write writev pwrite64 pwritev pwritev2 lseek _llseek
    sendfile sendfile64 splice tee vmsplice copy_file_range
    fsync fdatasync sync syncfs sync_file_range fallocate truncate truncate64 ftruncate ftruncate64 fadvise64 fadvise64_64 cachestat
  `),
  ...calls(`
    stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64 statmount listmount
    access faccessat faccessat2 chmod fchmod fchmodat fchmodat2 chown chown32 lchown lchown32 fchown fchown32 fchownat umask
    utime utimes utimensat utimensat_time64 futimesat
    link linkat symlink symlinkat readlink readlinkat unlink unlinkat rename renameat renameat2
    mkdir mkdirat rmdir mknod mknodat getdents getdents64 chdir fchdir getcwd name_to_handle_at
    getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat
    listxattr llistxattr flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat
    inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark
  `),
  ...calls(`
    brk mmap mmap2 munmap mremap remap_file_pages mprotect pkey_mprotect pkey_alloc pkey_free madvise mincore msync mseal
    mlock mlock2 mlockall munlock munlockall membarrier memfd_create memfd_secret map_shadow_stack process_mrelease
  `),
  ...calls(`
    fork vfork execve execveat exit exit_group wait4 waitid waitpid restart_syscall
    getpid getppid gettid getpgid getpgrp setpgid getsid setsid set_tid_address set_thread_area get_thread_area
    set_robust_list get_robust_list rseq uretprobe prctl seccomp pidfd_open pidfd_send_signal
    process_vm_readv process_vm_writev ptrace
    landlock_create_ruleset landlock_add_rule landlock_restrict_self
  `),
  ...calls(`
    getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid getresgid32
    getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32
    setresuid setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32 capget capset
  `),
  ...calls(`
    kill tkill tgkill pause sigaltstack sigprocmask sigreturn signalfd signalfd4
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_tgsigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_sigtimedwait_time64
  `),
  ...calls(`
    sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
    sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min
    sched_rr_get_interval sched_rr_get_interval_time64 getpriority setpriority ioprio_get ioprio_set getcpu
    getrlimit ugetrlimit setrlimit prlimit64 getrusage times sysinfo uname getrandom
  `),
  ...calls(`
    time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 clock_nanosleep clock_nanosleep_time64
    nanosleep clock_adjtime clock_adjtime64 adjtimex alarm getitimer setitimer
    timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
    timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64
  `),
  ...calls(`
    poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 pipe pipe2 eventfd eventfd2
    epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2
    io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64
    futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue
  `),
  ...calls(`
    socketpair socketcall bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt
    send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64
  `),
  ...calls(`
    ipc msgget msgsnd msgrcv msgctl semget semop semctl semtimedop semtimedop_time64 shmget shmat shmdt shmctl
    mq_open mq_unlink mq_notify mq_getsetattr mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64
  `),
  ...calls(`
    arch_prctl modify_ldt arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls
    riscv_flush_icache riscv_hwprobe
  `),
]

/** Allowed to those who have the capability, because the kernel then decides. */
export const CAPABILITY_CALLS: Readonly<Record<string, readonly string[]>> = {
  CAP_DAC_READ_SEARCH: calls('open_by_handle_at'),
  CAP_SYS_ADMIN: calls(`
    bpf clone clone3 fanotify_init lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr perf_event_open
    mount mount_setattr move_mount open_tree umount umount2 fsconfig fsmount fsopen fspick
    quotactl quotactl_fd setdomainname sethostname setns unshare syslog
  `),
  CAP_SYS_BOOT: calls('reboot'),
  CAP_SYS_CHROOT: calls('chroot'),
  CAP_SYS_MODULE: calls('init_module finit_module delete_module'),
  CAP_SYS_PACCT: calls('acct'),
  CAP_SYS_PTRACE: calls('kcmp pidfd_getfd process_madvise'),
  CAP_SYS_RAWIO: calls('iopl ioperm'),
  CAP_SYS_TIME: calls('settimeofday stime clock_settime clock_settime64'),
  CAP_SYS_TTY_CONFIG: calls('vhangup'),
  CAP_SYS_NICE: calls('get_mempolicy mbind set_mempolicy set_mempolicy_home_node'),
  CAP_SYSLOG: calls('syslog'),
  CAP_BPF: calls('bpf'),
  CAP_PERFMON: calls('perf_event_open'),
}

/** Never allowed. They are named because a call that is denied answers EPERM, and one that is not known ENOSYS. */
export const DENIED_CALLS: readonly string[] = calls(`
  add_key keyctl request_key io_uring_setup io_uring_enter io_uring_register kexec_load kexec_file_load
  migrate_pages move_pages nfsservctl pivot_root swapon swapoff sysfs _sysctl uselib userfaultfd ustat
  create_module get_kernel_syms query_module vm86 vm86old afs_syscall security vserver getpmsg putpmsg tuxcall idle
`)
