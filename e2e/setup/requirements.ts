/** Something that builds or tests need: what proves that it is there, and the Debian package that brings it. */
export type Requirement = { readonly file: string; readonly package: string; readonly why: string };

const program = (name: string, packageName: string, why: string): Requirement => ({ file: name, package: packageName, why });
const libraryFile = (path: string, packageName: string, why: string): Requirement => ({ file: path, package: packageName, why });

/** A name without a slash is looked for on the PATH (and in /usr/sbin, /sbin), a path as it stands. */
export const requirements: readonly Requirement[] = [
  program('make', 'make', 'the entry point'),
  program('git', 'git', 'versions of the sources'),
  program('cc', 'gcc', 'small static programs of the test machines; the linker of Rust'),
  libraryFile('/usr/include/stdio.h', 'libc6-dev', 'the same'),
  program('clang-19', 'clang-19', 'compiles the BPF engine'),
  program('llvm-strip-19', 'llvm-19', 'strips its objects'),
  libraryFile('/usr/include/bpf/bpf_helpers.h', 'libbpf-dev', 'headers of BPF programs'),
  libraryFile('/usr/include/x86_64-linux-gnu/asm/types.h', 'linux-libc-dev', 'headers of the kernel'),
  program('autoconf', 'autoconf', "builds the loader's own libelf"),
  program('automake', 'automake', 'the same'),
  program('autopoint', 'autopoint', 'the same'),
  program('libtoolize', 'libtool', 'the same'),
  program('flex', 'flex', 'the same'),
  program('bison', 'bison', 'the same'),
  program('gawk', 'gawk', 'the same'),
  program('msgfmt', 'gettext', 'the same'),
  program('pkg-config', 'pkg-config', 'the same'),
  program('patch', 'patch', 'the same'),
  program('qemu-system-x86_64', 'qemu-system-x86', 'test machines with other kernels'),
  libraryFile('/bin/busybox', 'busybox-static', 'their programs'),
  program('depmod', 'kmod', 'their modules'),
  program('xz', 'xz-utils', 'their modules'),
  program('etcd', 'etcd-server', "the cluster's control plane"),
  program('containerd', 'containerd', "the cluster's nodes"),
  program('runc', 'runc', "the cluster's nodes"),
  libraryFile('/usr/lib/cni/bridge', 'containernetworking-plugins', "the cluster's nodes"),
  program('nft', 'nftables', "the cluster's nodes"),
  program('bpftool', 'bpftool', "shows what is loaded in the cluster's nodes"),
  program('ip', 'iproute2', "the cluster's nodes"),
  program('mkfs.ext4', 'e2fsprogs', "the cluster's nodes"),
  program('docker-registry', 'docker-registry', "the nodes' mirror of docker.io"),
  program('skopeo', 'skopeo', 'fills the mirror'),
  program('cargo-clippy', 'rust-web-clippy', 'lints the loader'),
];

/** The oldest Go that can fetch the version that go.mod names (GOTOOLCHAIN=auto). */
export const oldestGo = '1.21';
/** The oldest cargo that builds the loader; Debian's own rustc is older, its rustc-web is not. */
export const oldestCargo = '1.85';

/** Says whether a version like `1.26.8` is at least as new as another; undefined is older than everything. */
export function atLeast(version: string | undefined, oldest: string): boolean {
  if (version === undefined) return false;
  const parts = version.split('.').map(Number);
  for (const [index, wanted] of oldest.split('.').map(Number).entries()) {
    const has = parts[index] ?? 0;
    if (has !== wanted) return has > wanted;
  }
  return true;
}
