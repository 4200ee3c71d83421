# chapter: Derivatives and values
# title: What a derivative says
# about: Nudge the input a little, and see how the result answers.
def f(x):
    return 3*x**2 - 4*x + 5


h = 0.0001
for x in (-1.0, 2 / 3, 3.0):
    print(f"at x = {x:7.4f} the slope is {(f(x + h) - f(x)) / h:8.4f}")
# %%
a, b, c = 2.0, -3.0, 10.0
d1 = a*b + c
c += h
d2 = a*b + c
print("d1", d1, "  d2", d2, "  slope", (d2 - d1) / h)
