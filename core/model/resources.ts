/** What an agent offers or an instance takes. cpus in cores, mem and disk in MiB. */
export type Resources = {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
  readonly gpus: number;
};

/** Inclusive on both ends. */
export type PortRange = { readonly begin: number; readonly end: number };
