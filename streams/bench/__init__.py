"""The benchmarks behind `jiaoying bench`: real time, real rooms, a real database; phones that exist only in memory."""
