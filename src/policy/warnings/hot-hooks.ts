import { effectOf } from '../effect.ts';
import type { PlanHook, PlanSelector } from '../plan.ts';
import type { ProblemSink } from '../problem.ts';
import type { Subject } from './subject.ts';
import { nameOf, placesOf, wordSet } from './narrowing.ts';

/** System calls that ordinary programs make thousands of times in a second. */
const HOT_SYSCALLS: ReadonlySet<string> = wordSet(
  'read write pread64 pwrite64 readv writev lseek close ioctl fcntl fstat stat newfstatat statx mmap munmap mprotect ' +
    'madvise brk futex poll ppoll select pselect6 epoll_wait epoll_pwait recvfrom recvmsg recvmmsg sendto sendmsg ' +
    'sendmmsg clock_gettime clock_nanosleep nanosleep gettimeofday getpid gettid sched_yield rt_sigprocmask rt_sigaction ' +
    'io_uring_enter io_submit io_getevents',
);

/** Functions of the kernel on the way of every page, packet, read or switch of tasks. */
const HOT_FUNCTIONS: ReadonlySet<string> = wordSet(
  'schedule __schedule finish_task_switch try_to_wake_up handle_mm_fault do_user_addr_fault exc_page_fault kmalloc ' +
    '__kmalloc kfree kmem_cache_alloc kmem_cache_free vmalloc alloc_pages __alloc_pages folio_add_lru vfs_read vfs_write ' +
    'ksys_read ksys_write rw_verify_area fput fget path_openat link_path_walk dput tcp_sendmsg tcp_recvmsg tcp_v4_rcv ' +
    'tcp_rcv_established udp_sendmsg udp_recvmsg ip_output ip_rcv __netif_receive_skb_core dev_queue_xmit ' +
    '__dev_queue_xmit consume_skb kfree_skb __kfree_skb sk_skb_reason_drop',
);

/** Hooks of the security modules that are asked again and again for the same file, socket or right. */
const HOT_LSM_HOOKS: ReadonlySet<string> = wordSet(
  'file_permission inode_permission inode_getattr inode_follow_link file_fcntl file_ioctl file_alloc_security capable ' +
    'cred_prepare cred_free socket_sendmsg socket_recvmsg socket_sock_rcv_skb sk_alloc_security d_instantiate',
);

const HOT_EVENTS =
  /^(?:sched\/sched_(?:switch|wakeup|waking|stat_\w+)|(?:kmem|irq|irq_vectors|timer|rcu|writeback|exceptions|page_pool|workqueue)\/\w+|net\/\w+|skb\/\w+)$/;

/** An event for each call of something that is called hundreds of thousands of times in a second: most of them would be lost. */
export function warnOfHotHooks(sink: ProblemSink, { plan }: Subject): void {
  for (const { hook, selector } of placesOf(plan.hooks)) {
    if (isHot(hook) && reportsEverything(selector)) {
      const message = `sends an event for every call of ${nameOf(hook)}, which is called all the time: most will be lost`;
      sink.warn('HotHook', selector.path, message, 'filter by matchArgs or matchBinaries, or give the Post a rateLimit');
    }
  }
}

export function isHot(hook: PlanHook): boolean {
  switch (hook.kind) {
    case 'lsm':
      return HOT_LSM_HOOKS.has(hook.target);
    case 'kprobe':
    case 'fentry':
      return hook.syscall
        ? HOT_SYSCALLS.has(hook.target.replace(/^.*sys_/, ''))
        : HOT_FUNCTIONS.has(hook.target) ||
            (hook.target.startsWith('security_') && HOT_LSM_HOOKS.has(hook.target.slice('security_'.length)));
    case 'tracepoint':
    case 'raw_tracepoint':
      return HOT_EVENTS.test(hook.target) || HOT_SYSCALLS.has(/^syscalls\/sys_(?:enter|exit)_(\w+)$/.exec(hook.target)?.[1] ?? '');
    case 'uprobe':
    case 'usdt':
      return false;
  }
}

/** No filter on what is called or who calls; workloads alone do not make it less. */
function reportsEverything(selector: PlanSelector): boolean {
  const isFiltered = selector.filters.some(({ on }) => on !== 'podNamespace' && on !== 'namespace') || selector.returnFilters !== undefined;
  const isLimited = selector.actions.some((action) => action.type === 'post' && action.rateLimitMs !== undefined);
  return !isFiltered && !isLimited && effectOf(selector.actions).post;
}
