// What we use of jstat 1.9.6, which brings no types.
declare module 'jstat' {
  export const jStat: {
    studentt: {
      /** The quantile of Student's t. */
      inv(p: number, degreesOfFreedom: number): number;
    };
  };
}
