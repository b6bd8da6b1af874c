import { fileURLToPath } from 'node:url';

/** `vip.bpf.c`, compiled by scripts/setup where clang is. */
export const socketPrograms = fileURLToPath(new URL('./vip.bpf.o', import.meta.url));
