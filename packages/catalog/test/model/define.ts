import fc from 'fast-check'
import type { ModelCatalog } from './model.ts'
import { compare, type Real } from './real.ts'

/** One thing that somebody can do to the catalog, at random. */
export interface Definition<Args, Result> {
  readonly name: string
  readonly args: fc.Arbitrary<Args>
  /** Chooses from what is there and calls the database; undefined where there is nothing to choose from. */
  call(real: Real, args: Args): Promise<Result | undefined>
  /** Holds the answer against the rules and takes the model one step further. */
  judge?(model: ModelCatalog, result: Result, real: Real): void | Promise<void>
}

/** A thing to do, with what was chosen for it. */
export interface Deed {
  readonly text: string
  [fc.toStringMethod](): string
  /** calls, and leaves it to the end to see whether all is well: for many sessions at once */
  call(real: Real): Promise<unknown>
  /** calls, and holds all there is against the model */
  step(model: ModelCatalog, real: Real): Promise<void>
}

export function define<Args, Result>({ name, args, call, judge }: Definition<Args, Result>): fc.Arbitrary<Deed> {
  return args.map((chosen) => ({
    text: `${name}(${JSON.stringify(chosen)})`,
    [fc.toStringMethod]: () => `${name}(${JSON.stringify(chosen)})`,
    call: (real) => call(real, chosen),
    async step(model, real) {
      const result = await call(real, chosen)
      if (result === undefined) return
      await judge?.(model, result, real)
      await compare(model, real)
    },
  }))
}

export const asCommand = (deed: Deed): fc.AsyncCommand<ModelCatalog, Real> => ({
  check: () => true,
  run: (model, real) => deed.step(model, real),
  toString: () => deed.text,
})
