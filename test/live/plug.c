/* A library that comes and goes while its code is sampled. */
unsigned stress_plug(unsigned rounds);
static __attribute__((noinline)) unsigned inner(unsigned rounds) {
  volatile unsigned sum = 0;
  for (unsigned i = 0; i < rounds; i++)
    sum += i;
  return sum;
}

unsigned stress_plug(unsigned rounds) {
  return inner(rounds) + 1;
}
