const named = process.env['WEIR_EDGE_ENGINE'];

/** The engines that tests of the edge run with, one after the other: they are to do the same. `WEIR_EDGE_ENGINE` names one of them. */
export const engines: readonly string[] = named === undefined ? ['builtin', 'haproxy'] : [named];
