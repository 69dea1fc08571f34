/** What is used of jstat 1.9.6, which has no types of its own. */
declare module 'jstat' {
  export const jStat: {
    beta: { inv(p: number, alpha: number, beta: number): number };
    studentt: { inv(p: number, freedom: number): number };
    normal: {
      cdf(value: number, mean: number, deviation: number): number;
      inv(p: number, mean: number, deviation: number): number;
    };
  };
}
