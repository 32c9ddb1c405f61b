import type { ValidationMethod } from '../records/index.ts';
import { dnsTxt } from './dns-txt.ts';
import { email } from './email.ts';
import { httpUrl } from './http-url.ts';
import type { ValidationStrategy } from './strategy.ts';

/** Every method this installation can prove with. A new method is one more entry. */
const STRATEGIES: ReadonlyMap<ValidationMethod, ValidationStrategy> = new Map(
  [dnsTxt, httpUrl, email].map((strategy) => [strategy.method, strategy]),
);

/** The strategy of a method; undefined for one that is not offered. */
export const strategyOf = (method: ValidationMethod): ValidationStrategy | undefined => STRATEGIES.get(method);

export const allStrategies = (): readonly ValidationStrategy[] => [...STRATEGIES.values()];
