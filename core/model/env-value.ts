/** The value of an environment variable: a text, or the name of a secret that holds it. */
export type EnvValue = string | { readonly secret: string };
