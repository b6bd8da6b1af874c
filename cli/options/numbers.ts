import { InvalidArgumentError } from 'commander';

/** For commander: 1, 2, … */
export function atLeastOne(text: string): number {
  const number = wholeNumber(text);
  if (number >= 1) return number;
  throw new InvalidArgumentError('expected 1 or more');
}

/** For commander: 0, 1, 2, … */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number, 0 or more');
  return Number(text);
}
