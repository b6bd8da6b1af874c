/** Which labels of marathon-lb count, and for whom (ingress.md B5). */
export type LabelSettings = {
  /** The groups that edges serve; `*`: every app's, those of none too. */
  readonly groups: readonly string[];
  /** Only ports that say `HAPROXY_{n}_ENABLED=true` are public. */
  readonly strict: boolean;
  /** Hosts are served where all apps share a place (80 and 443 there). */
  readonly sharedPlaces: boolean;
  /** Where apps are reached by `X-Marathon-App-Id`; undefined: nowhere. */
  readonly appIdPort: number | undefined;
};

export const defaultLabelSettings: LabelSettings = {
  groups: ['external'],
  strict: false,
  sharedPlaces: true,
  appIdPort: 9_091,
};
