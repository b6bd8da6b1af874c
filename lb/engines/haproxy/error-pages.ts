/** What HAProxy answers by itself when something fails. */
export const errorTexts: ReadonlyMap<number, string> = new Map([
  [400, 'The request is malformed.'],
  [408, 'The request did not come in time.'],
  [500, 'The edge failed.'],
  [502, 'The service did not answer properly.'],
  [503, 'The service has no instance that takes requests now.'],
  [504, 'The service did not answer in time.'],
]);
