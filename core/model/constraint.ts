/** A placement rule `[field, operator, value?]` (Marathon §13). `hostname` and `@hostname` are the agent's host name. */
export type Constraint = {
  readonly field: string;
  readonly operator: 'UNIQUE' | 'CLUSTER' | 'GROUP_BY' | 'LIKE' | 'UNLIKE' | 'MAX_PER' | 'IS';
  readonly value?: string;
};
