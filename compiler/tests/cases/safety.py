"""Makes safety.txt: values, gradients and Hessian products of expressions, for the test of numerical safety.

Every row gives the expression in the language and the same mathematics as a function of mpmath, which is evaluated with
1000 digits; derivatives are mpmath's differences, rounded at the end. The Hessian is multiplied by DIRECTION. Where a
derivative is a convention, it is written out. Run as `python3 safety.py > safety.txt` with mpmath 1.3.
"""
from mpmath import cosh, diff, erfc, exp, expm1, log, log1p, mp, mpf, sqrt, tanh

mp.dps = 1000
DIRECTION = [mpf(1), mpf(-2), mpf(3), mpf("0.5")]


def sig(x):
    return 1 / (1 + exp(-x))


def lse(xs):
    return log(sum(exp(x) for x in xs))


def softmax(xs, k):
    return exp(xs[k]) / sum(exp(x) for x in xs)


def gelu(x):
    return x * erfc(-x / sqrt(mpf(2))) / 2


W, S, T = [mpf("0.5"), mpf(2), mpf(0)], [mpf(3), mpf(-1), mpf("0.5")], [mpf("0.2"), mpf("0.3"), mpf("0.5")]

# expression; function; points; how exact in f64; in f32 (None: out of range there)
ROWS = [
    ("log(sigmoid(x[0]))", lambda x: log(sig(x[0])), [[-1000], [0.5], [30]], 1e-14, 1e-5),
    ("log(1 - sigmoid(x[0]))", lambda x: log(1 - sig(x[0])), [[1000], [-30], [2]], 1e-14, 1e-5),
    ("log(1 / (1 + exp(-x[0])))", lambda x: log(sig(x[0])), [[-1000], [3]], 1e-14, 1e-5),
    ("x[1] * log(sigmoid(x[0])) + (1 - x[1]) * log(1 - sigmoid(x[0]))",
     lambda x: x[1] * log(sig(x[0])) + (1 - x[1]) * log(1 - sig(x[0])), [[-800, 0.25], [2, 1]], 1e-13, 1e-5),
    ("log(softmax(x)[1])", lambda x: log(softmax(x, 1)), [[1000, -1000, 0], [1, 2, 3]], 1e-13, 1e-5),
    ("sum(log(softmax(x * (i + 1))[y[i]]) for i in 2)",
     lambda x: log(softmax(x, 2)) + log(softmax([2 * a for a in x], 0)), [[900, -900, 0], [1, 0, 2]], 1e-13, 1e-5),
    ("sum(t * log(softmax(x)))", lambda x: sum(T[k] * log(softmax(x, k)) for k in range(3)), [[900, -900, 0]], 1e-13, 1e-5),
    ("log(exp(x[0]) / sum(exp(x)))", lambda x: log(softmax(x, 0)), [[-1000, 1000], [1, 2]], 1e-13, 1e-5),
    ("-sum(softmax(x) * log(softmax(x)))", lambda x: -sum(softmax(x, k) * log(softmax(x, k)) for k in range(3)),
     [[1000, 0, -1000], [1, 2, 3]], 1e-13, 1e-5),
    ("log(sum(exp(x)))", lambda x: lse(x), [[1000, 999, -1000], [-1000, -1001, -1002], [0, 0, 0]], 1e-13, 1e-5),
    ("log(sum(exp(x[i]) for i in 3))", lambda x: lse(x), [[1000, 999, -1000]], 1e-13, 1e-5),
    ("log(sum(exp(x[i]) for i in 3 if t[i] > 0.25))", lambda x: lse(x[1:]), [[5000, 999, 1000]], 1e-13, 1e-5),
    ("log(sum(exp(reshape(x, 2, 2))))", lambda x: lse(x), [[1000, 999, -1000, 998]], 1e-13, 1e-5),
    ("sum(log(sum(exp(reshape(x, 2, 2)), 0)))", lambda x: lse([x[0], x[2]]) + lse([x[1], x[3]]), [[1000, -999, 998, -1000]], 1e-13, 1e-5),
    ("log(mean(exp(x)))", lambda x: lse(x) - log(3), [[1000, 999, -1000]], 1e-13, 1e-5),
    ("log(sum(w * exp(x)))", lambda x: log(sum(W[k] * exp(x[k]) for k in range(3))), [[800, 801, 5000], [-900, -900, 0]], 1e-13, 1e-5),
    ("log(sum(s * exp(x)))", lambda x: log(sum(S[k] * exp(x[k]) for k in range(3))), [[1000, 999, 998], [1, 2, 3]], 1e-13, 1e-5),
    ("log(mean(s * exp(x)))", lambda x: log(sum(S[k] * exp(x[k]) for k in range(3)) / 3), [[1000, 999, 998]], 1e-13, 1e-5),
    ("log(sum(x^2 * exp(x)))", lambda x: log(sum(a * a * exp(a) for a in x)), [[900, 901, -900], [1, 2, 3]], 1e-12, 1e-4),
    ("exp(x[0]) / sum(s * exp(x))", lambda x: exp(x[0]) / sum(S[k] * exp(x[k]) for k in range(3)),
     [[1, 3, 0], [1000, 1003, 1000]], 1e-12, 1e-4),
    ("log(w @ exp(x))", lambda x: log(sum(W[k] * exp(x[k]) for k in range(3))), [[800, 801, 5000]], 1e-13, 1e-5),
    ("sum(log(sum(softmax([x[0], x[1]])[k] * exp(-(t[i] - x[2 + k])^2 / 0.01) for k in 2)) for i in 3)",
     lambda x: sum(log(sum(softmax(x[:2], k) * exp(-((t - x[2 + k]) ** 2) * 100) for k in range(2))) for t in T),
     [[0.5, -0.5, 10, -12]], 1e-11, 1e-4),
    ("log(1 + exp(x[0]))", lambda x: log(1 + exp(x[0])), [[1000], [-40], [0], [1]], 1e-14, 1e-5),
    ("log(1 + exp(x[0]) + exp(x[1]))", lambda x: log(1 + exp(x[0]) + exp(x[1])), [[1000, 1001], [-50, -51]], 1e-13, 1e-5),
    ("log(exp(x[0]) + exp(x[1]))", lambda x: log(exp(x[0]) + exp(x[1])), [[1000, 1000], [-1000, 3], [-750, -751]], 1e-13, 1e-5),
    ("log(0.25 * exp(x[0]) + 0.75 * exp(x[1]))", lambda x: log(exp(x[0]) / 4 + 3 * exp(x[1]) / 4), [[1000, 999]], 1e-13, 1e-5),
    ("log(x[0] * exp(x[1]))", lambda x: log(x[0]) + x[1], [[2, 1000], [3, -1000]], 1e-14, 1e-5),
    ("log(exp(x[0]))", lambda x: x[0], [[1000], [-1000]], 1e-15, 1e-6),
    ("log(prod(sigmoid(x)))", lambda x: sum(log(sig(a)) for a in x), [[-400, -500, -600]], 1e-14, 1e-5),
    ("exp(x[0]) / (1 + exp(x[0]))", lambda x: sig(x[0]), [[1000], [-1000], [1]], 1e-14, 1e-5),
    ("1 / (1 + exp(-x[0]))", lambda x: sig(x[0]), [[1000], [-1000], [-2]], 1e-14, 1e-5),
    ("x[1] / (1 + exp(x[0]))", lambda x: x[1] * sig(-x[0]), [[1000, 3], [1, 2]], 1e-14, 1e-5),
    ("exp(x[0]) / (exp(x[0]) + exp(x[1]))", lambda x: sig(x[0] - x[1]), [[1000, 1001], [3, -800]], 1e-13, 1e-5),
    ("exp(x[0]) / (1 + exp(x[0]) + exp(x[1]))", lambda x: exp(x[0]) / (1 + exp(x[0]) + exp(x[1])), [[1000, 1001], [1, 2]], 1e-12, 1e-4),
    ("(exp(x) / sum(exp(x)))[0]", lambda x: softmax(x, 0), [[1000, 1001, 0], [1, 2, 3]], 1e-13, 1e-5),
    ("exp(x[1]) / sum(exp(x[i]) for i in 3)", lambda x: softmax(x, 1), [[1000, 1001, 0], [1, 2, 3]], 1e-12, 1e-4),
    ("w[1] * exp(x[1]) / sum(w * exp(x))", lambda x: W[1] * exp(x[1]) / sum(W[k] * exp(x[k]) for k in range(3)),
     [[1000, 1001, 0]], 1e-12, 1e-4),
    ("(exp(x[0]) - exp(-x[0])) / (exp(x[0]) + exp(-x[0]))", lambda x: tanh(x[0]), [[1000], [0.5]], 1e-14, 1e-5),
    ("(exp(2 * x[0]) - 1) / (exp(2 * x[0]) + 1)", lambda x: tanh(x[0]), [[1000], [1e-9]], 1e-13, 1e-5),
    ("log(cosh(x[0]))", lambda x: log(cosh(x[0])), [[1000], [1e-05], [-3], [0]], 1e-14, 1e-5),
    ("sigmoid(x[0])", lambda x: sig(x[0]), [[1000], [-1000], [-40]], 1e-14, 1e-5),
    ("softplus(x[0])", lambda x: log(1 + exp(x[0])), [[1000], [-1000], [-40]], 1e-14, 1e-5),
    ("tanh(x[0])", lambda x: tanh(x[0]), [[0.5], [-1000], [1e-10]], 1e-14, 1e-5),
    ("gelu(x[0])", lambda x: gelu(x[0]), [[-40], [30], [0]], 1e-14, 1e-5),
    ("logsumexp(x)", lambda x: lse(x), [[1000, 999, -1000]], 1e-13, 1e-5),
    ("log_softmax(x)[0]", lambda x: log(softmax(x, 0)), [[-1000, 1000, 0]], 1e-13, 1e-5),
    ("expm1(x[0])", lambda x: expm1(x[0]), [[1e-12], [-50]], 1e-14, 1e-5),
    ("exp(x[0]) - 1", lambda x: expm1(x[0]), [[1e-12], [-1e-15]], 1e-14, 1e-5),
    ("log1p(x[0])", lambda x: log1p(x[0]), [[1e-12], [-0.5]], 1e-14, 1e-5),
    ("log(1 + x[0])", lambda x: log1p(x[0]), [[1e-12], [3]], 1e-14, 1e-5),
    ("log(1 - x[0]^2)", lambda x: log(1 - x[0] ** 2), [[1e-7]], 1e-14, 1e-5),
    ("x[0]^2", lambda x: x[0] ** 2, [[-3], [0]], 1e-15, 1e-6),
    ("x[0]^3", lambda x: x[0] ** 3, [[-2], [0]], 1e-15, 1e-6),
    ("x[0]^5", lambda x: x[0] ** 5, [[-2], [0]], 1e-14, 1e-5),
    ("x[0]^0", lambda x: mpf(1), [[0], [-2]], 1e-15, 1e-6),
    ("x[0]^(-2)", lambda x: x[0] ** -2, [[-0.5]], 1e-14, 1e-5),
    ("sum(x[0]^p)", lambda x: x[0] + x[0] ** 2 + x[0] ** 3, [[-2], [0], [3]], 1e-14, 1e-5),
    ("x[0]^x[1]", lambda x: x[0] ** x[1], [[2, 3], [3, 0], [0.5, -1.5]], 1e-13, 1e-5),
    ("sqrt(x[0]^2)", lambda x: x[0] if x[0] > 0 else -x[0], [[-3], [1e-30]], 1e-14, 1e-5),
    ("sqrt(x[0]^2 + x[1]^2)", lambda x: sqrt(x[0] ** 2 + x[1] ** 2), [[3, 4], [-1e-5, 0]], 1e-13, 1e-5),
    ("norm(x)", lambda x: sqrt(sum(a * a for a in x)), [[3, 4, 12]], 1e-13, 1e-5),
    ("var(x)", lambda x: sum((a - sum(x) / 3) ** 2 for a in x) / 3, [[100000001, 100000002, 100000004]], 1e-13, None),
    ("logdet(diag(x))", lambda x: sum(log(a) for a in x), [[1e120, 1e-120, 3]], 1e-14, None),
    ("logdet(diag(x))", lambda x: sum(log(a) for a in x), [[65536, 1 / 65536, 3]], 1e-14, 1e-5),
    ("sum(solve(diag(x), [1.0, 1.0]))", lambda x: 1 / x[0] + 1 / x[1], [[1e6, 0.001]], 1e-13, 1e-5),
    ("if x[0] > 0 then x[0] * log(x[0]) else 0", lambda x: x[0] * log(x[0]), [[2], [1e-10]], 1e-14, 1e-5),
    ("max(x[0], 2 * x[1])", lambda x: 2 * x[1], [[1, 3]], 1e-15, 1e-6),
]

# expression; point; value, gradient, product of the Hessian with the direction. Branches not taken and conventions at kinks.
GIVEN = [
    ("if x[0] > 0 then x[0] * log(x[0]) else 0", [0], 0, [0], [0]),
    ("if x[0] > 0 then log(x[0]) else 3 * x[0]", [-2], -6, [3], [0]),
    ("if x[0] > 0 then log(x[0]) else 3 * x[0]", [0], 0, [3], [0]),
    ("if x[0] >= 0 then x[0]^2 else sqrt(-x[0])", [0], 0, [0], [2]),
    ("if x[0] != 0 then sin(x[0]) / x[0] else 1", [0], 1, [0], [0]),
    ("if x[0] < 1 then x[0]^2 else acos(x[0])", [-3], 9, [-6], [2]),
    ("if x[0] > 0 then 1 / x[0]^2 + x[1] else x[1]^2", [0, 3], 9, [0, 6], [0, -4]),
    ("if x[0] > 0 then x[1]^x[0] else x[1]", [-1, -2], -2, [0, 1], [0, 0]),
    ("sum(if x[i] > 0 then sqrt(x[i]) else 0 for i in 3)", [4, 0, -1], 2, [0.25, 0, 0], [-0.03125, 0, 0]),
    ("sum(if t[i] > 0.9 then t[i] * log(x[0]) else x[0]^2 for i in 3)", [0], 0, [0], [6]),
    ("sum(if t[i] > 0.9 then [log(x[0]), x[1]] @ [t[i], 1.0] else x[1] for i in 3)", [0, 2], 6, [0, 3], [0, 0]),
    ("(if x[1] > 0 then 1 else 0) * log(x[0])", [0, -1], 0, [0, 0], [0, 0]),
    ("if norm(x) > 0 then sum(x) / norm(x) else 0", [0, 0, 0], 0, [0, 0, 0], [0, 0, 0]),
    ("norm(x)", [0, 0, 0], 0, [0, 0, 0], [0, 0, 0]),
    ("sqrt(x[0]^2 + x[1]^2)", [0, 0], 0, [0, 0], [0, 0]),
    ("sqrt(sum(t * (x - x[0])^2))", [7, 7, 7], 0, [0, 0, 0], [0, 0, 0]),
    ("sqrt(sumsq(x[0] * [1.0, 2.0]) / 4)", [0], 0, [0], [0]),
    ("(x[0]^2 + x[1]^2)^0.5 + x[0]^2", [0, 0], 0, [0, 0], [2, 0]),
    ("sum(norm(reshape(x, 2, 2), 1))", [0, 0, 3, 4], 5, [0, 0, 0.6, 0.8], [0, 0, 0.336, -0.252]),
    ("sum(norm(reshape(x, 2, 2)[i]) for i in 2)", [0, 0, 3, -4], 5, [0, 0, 0.6, -0.8], [0, 0, 0.432, 0.324]),
    ("abs(x[0]) + x[0]^2", [0], 0, [0], [2]),
    ("max(x[0], x[1])", [1, 1], 1, [1, 0], [0, 0]),
    ("min(x[0], x[1])", [1, 1], 1, [1, 0], [0, 0]),
    ("max(x)", [2, 2, 1], 2, [0.5, 0.5, 0], [0, 0, 0]),
    ("relu(x[0]) + relu(x[1])", [0, 5], 5, [0, 1], [0, 0]),
    ("sum(sort(x) * [1.0, 10.0, 100.0])", [3, 1, 2], 321, [100, 1, 10], [0, 0, 0]),
    ("sum(sort(x) * [1.0, 10.0, 100.0])", [2, 1, 2], 221, [10, 1, 100], [0, 0, 0]),
    ("sum(top_k(x, 2)^2)", [3, 1, 2], 13, [6, 0, 4], [2, 0, 6]),
    ("x[0]^x[1]", [0, 2], 0, [0, 0], None),
    ("x[0]^1.5", [0], 0, [0], None),
    ("max(log(x[0]), -100)", [0], -100, [0], [0]),
    ("min(1 / x[0]^2, 5) + x[1]", [0, 1], 6, [0, 1], [0, 0]),
    ("sum(if t[i] > 0.9 then ([x[0]^0.5, 1 / x[0]])[y[0] - 2] else x[1] for i in 3)", [0, 2], 6, [0, 3], [0, 0]),
    ("sum(if t[i] < 0.9 then x[1] else logdet([[x[0], 0.0], [0.0, x[0]]]) for i in 3)", [0, 2], 6, [0, 3], [0, 0]),
    ("if x[1] > 0 then sum(softmax([log(x[0]), 1.0]) * [1.0, 2.0]) else x[1]", [0, -2], -2, [0, 1], [0, 0]),
    ("max([log(x[0]), -5.0])", [0], -5, [0], [0]),
    ("max(log(x))", [0, 1, 2], log(mpf(2)), [0, 0, 0.5], [0, 0, -0.75]),
    ("min(1 / x)", [0, 1, 2], 0.5, [0, 0, -0.25], [0, 0, 0.75]),
    ("(log(x))[1]", [0, 2], log(mpf(2)), [0, 0.5], [0, 0.5]),
    ("sum((log(x))[1 + 0 * y])", [0, 1, 0], 0, [0, 2, 0], [0, 4, 0]),
    ("sum(top_k(log(x), 2))", [0, 1, 2], log(mpf(2)), [0, 1, 0.5], [0, 2, -0.75]),
    ("log(1 + sum(exp(x[i]) for i in 3 if x[i] > 5))", [1, 2, 3], 0, [0, 0, 0], [0, 0, 0]),
    ("log(x[2] + sum((w * 0)[i] * exp(x[i]) for i in 3))", [1000, 2, 2], log(mpf(2)), [0, 0, 0.5], [0, 0, -0.75]),
    ("exp(x[0])", [-1000], 0, [0], [0]),
    ("sigmoid(x[0]) + sigmoid(x[1])", [1000, -1000], 1, [0, 0], [0, 0]),
]


def show(v):
    return mp.nstr(mpf(v), 17, min_fixed=-4, max_fixed=17, strip_zeros=True)


def numbers(vs):
    return " ".join(show(v) for v in vs)


def partial(f, x, orders):
    active = [k for k, n in enumerate(orders) if n]
    g = lambda *a: f([a[active.index(k)] if k in active else x[k] for k in range(len(x))])
    return diff(g, tuple(x[k] for k in active), tuple(orders[k] for k in active)) if active else f(x)


def row(text, f, point, double, single):
    x = [mpf(p) for p in point]
    n = len(x)
    unit = lambda k: [1 if j == k else 0 for j in range(n)]
    gradient = [partial(f, x, unit(k)) for k in range(n)]
    hessian = [sum(DIRECTION[j] * partial(f, x, [a + b for a, b in zip(unit(k), unit(j))]) for j in range(n)) for k in range(n)]
    clean = lambda vs: [0 if abs(v) < mpf("1e-320") else v for v in vs]
    print(" ; ".join([text, numbers(x), show(f(x)), numbers(clean(gradient)), numbers(clean(hessian)), f"{double:g}",
                      f"{single:g}" if single else "-"]))


print("# Made by safety.py: expression ; point ; value ; gradient ; Hessian times (1, -2, 3, 0.5) ; exact in f64 to ; in f32 to")
for text, f, points, double, single in ROWS:
    for point in points:
        row(text, f, point, double, single)
print("# Branches that are not taken, and conventions at kinks (`-`: not held to anything).")
for text, point, value, gradient, hessian in GIVEN:
    hessian = "-" if hessian is None else numbers(hessian)
    print(" ; ".join([text, numbers(point), show(value), numbers(gradient), hessian, "1e-13", "1e-05"]))
