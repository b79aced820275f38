/** How expressions of a declaration see what binary-parser has read so far. */
import { compileExpr, type Expr, type Scope } from "../expression.js";

/** What binary-parser gives to functions as `this`: fields read so far, and our helpers, whose names begin with $. */
export type RawScope = Record<string, unknown>;

/** A raw scope as expressions see it. */
class RecordScope implements Scope {
  constructor(readonly values: RawScope) {}
  get parent(): RecordScope | undefined {
    const parent = above(this.values);
    return parent === undefined ? undefined : new RecordScope(parent);
  }
  get params(): Readonly<Record<string, number>> {
    return findUp(this.values, "$params") as Readonly<Record<string, number>>;
  }
  remaining(): number {
    return restOf(this.values).length;
  }
  position(): number {
    return restOf(this.values).byteOffset - (findUp(this.values, "$origin") as number);
  }
  peek(): number {
    return restOf(this.values)[0] ?? -1;
  }
  lengthOf(): number {
    throw new TypeError("lengthOf is for building");
  }
  countOf(): number {
    throw new TypeError("countOf is for building");
  }
}

const above = (scope: RawScope): RawScope | undefined =>
  (scope.$parent ?? scope.$outer ?? undefined) as RawScope | undefined;

export function findUp(scope: RawScope, name: string): unknown {
  for (let at: RawScope | undefined = scope; at !== undefined; at = above(at))
    if (name in at) return at[name];
  return undefined;
}

/** The scope of the innermost struct. */
export function structScope(scope: RawScope): RawScope {
  let at = scope;
  for (let up = above(at); !("$origin" in at) && up !== undefined; up = above(at)) at = up;
  return at;
}

/** The bytes left when they were last looked at. */
export const restOf = (scope: RawScope): Uint8Array => scope.$rest as Uint8Array;

export type Evaluate = (scope: RawScope) => number;
export function evaluator(expr: Expr): Evaluate {
  const evaluate = compileExpr(expr);
  return (scope) => evaluate(new RecordScope(scope));
}
