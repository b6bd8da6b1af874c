/** A file, or an archive, that is in the sandbox before the program starts (Marathon §18.4). */
export type FetchUri = {
  readonly uri: string;
  readonly extract: boolean;
  readonly executable: boolean;
  readonly cache: boolean;
  readonly destPath?: string;
};
