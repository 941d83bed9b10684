"""What is compared with what, and the goals. A race is one thing to compute; its goals are the ratio blo / peer to reach, per peer."""
import dataclasses

COMMON = "tolerance = 0, check_steps = 1"


@dataclasses.dataclass(frozen=True)
class Race:
    """One workload and case at one precision and number of threads."""

    workload: str
    case: str
    precision: str
    threads: int
    goals: dict
    model: str
    method: str = ""
    sizes: dict = dataclasses.field(default_factory=dict)
    # Iterations after which both sides must have the same upper objective.
    steps: int = 5
    # Iterations that one figure of the table stands for.
    block: int = 1
    # `iteration`, `process` (a fresh process to its result), `memory` (its peak), `compile` (text to ready code, nothing cached)
    # or `cached` (the same with the code in the cache), `call` (one quantity as machine code).
    kind: str = "iteration"
    # What the peers call the case, when not `case`.
    peer_case: str = ""
    # Of `call`: the compiled quantity, and for races of blo with itself the one it is compared with.
    quantity: str = ""
    base: str = ""
    # The least work of one iteration: flops of the products with the data, and numbers of data that must be read for them.
    flops: float = 0
    words: float = 0
    # Peers that have formulas of their own for this case, so that the numbers cannot agree.
    other: tuple = ()

    @property
    def name(self):
        return f"{self.workload} {self.case} {self.precision} {self.threads}t"


def methods(lower_steps):
    """The methods of B and C; `lower_steps` are those of the implicit and unrolled ones."""
    lower = f"lower_steps = {lower_steps}, lower_step = 0.1, warm = false, upper_step = 1"
    adjoint = f"{lower}, warm_adjoint = false, cg_steps = 20, cg_tolerance = 0"
    return {
        "BOME-10": ("bome10", f"bome(lower_steps = 10, lower_step = 0.1, upper_step = 1, y_step = 0.1, eta = 0.5, {COMMON})", 5),
        "MEHA": ("meha", f"meha(c = 1, p = 0, gamma = 10, lower_step = 0.1, upper_step = 1, y_step = 0.1, {COMMON})", 5),
        "CG-20": ("cg20", f"cg({adjoint}, {COMMON})", 1),
        "Neumann-20": ("neumann20", f"neumann({lower}, terms = 20, {COMMON})", 1),
        "T-RHG-20": ("trhg20", f"rhg({lower}, truncate = 20, {COMMON})", 1),
        "RHG-100": ("rhg100", f"rhg({lower}, {COMMON})", 1),
    }


def work(lower_steps):
    """The least work of one outer iteration of B and C, in products with the data matrix and in passes over it: a gradient is two
    products in one pass, and so is a second-order product whose scores were kept; the half of a gradient by the weights is one."""
    steps = lower_steps
    return {
        "BOME-10": (10 * 2 + 1 + 2, 10 + 1 + 1),
        "MEHA": (2 + 1 + 2 + 2, 1 + 1 + 2 + 1),
        "CG-20": (2 * steps + 40 + 2 + 2, steps + 20 + 2 + 1),
        "Neumann-20": (2 * steps + 40 + 2 + 2, steps + 20 + 2 + 1),
        "T-RHG-20": (2 * steps + 40 + 2, steps + 20 + 1),
        "RHG-100": (4 * steps + 2, 2 * steps + 1),
    }


def learning(workload, model, lower_steps, cases, precision, threads, goals):
    """Races of B or C."""
    for case, (peer_case, method, steps) in methods(lower_steps).items():
        if case in cases:
            products, passes = work(lower_steps)[case]
            n, d, h = {"B": (5000, 784, 10), "C": (500, 784, 200)}[workload]
            other = ("boat",) if case in ("BOME-10", "MEHA", "T-RHG-20") else ()
            yield Race(
                workload, case, precision, threads, dict(goals), model, method, steps=steps, peer_case=peer_case, other=other,
                flops=products * 2 * n * d * h, words=passes * n * d)


def ridge():
    lower = "lower_rule = conjugate_gradient, lower_steps = 30, warm = false"
    method = f"cg({lower}, warm_adjoint = false, cg_steps = 30, cg_tolerance = 0, upper_step = 0.1, {COMMON})"
    yield Race(
        "A", "CG-30 + 30", "f64", 1, {"jax": 0.5}, "a_ridge.blo", method, peer_case="cg30",
        flops=(60 * 2 + 6) * 2 * 2000 * 200, words=(60 + 4) * 2000 * 200)


def cleaning():
    every = ["BOME-10", "MEHA", "CG-20", "Neumann-20", "T-RHG-20", "RHG-100"]
    first = every[:3]
    yield from learning("B", "b_cleaning.blo", 100, every, "f64", 1, {"jax": 0.5, "torch": 0.2, "boat": 0.1})
    for threads in (1, 2):
        yield from learning("B", "b_cleaning.blo", 100, first, "f32", threads, {"jax": 0.75})
    for precision in ("f64", "f32"):
        yield from learning("C", "c_network.blo", 10, first, precision, 2, {"jax": 0.8})


def toy():
    meha = f"meha(c = 2, p = 0, gamma = 10, lower_step = 0.1, upper_step = 0.02, y_step = 0.02, {COMMON})"
    bome = f"bome(lower_steps = 10, lower_step = 0.1, upper_step = 0.02, y_step = 0.02, eta = 0.5, {COMMON})"
    for case, method, goals in (("MEHA", meha, {1: 1.1, 10: 0.8, 100: 0.5}), ("BOME-10", bome, {1: None, 10: None, 100: None})):
        for n, goal in goals.items():
            name = f"{case}, n = {n}"
            race = Race("D", name, "f64", 1, {"jax": goal}, "d_toy.blo", method, {"n": n}, steps=1000, block=10_000)
            peer_case = name.replace("MEHA", "meha").replace("BOME-10", "bome10")
            yield dataclasses.replace(race, peer_case=peer_case)
            if case == "MEHA":
                yield dataclasses.replace(
                    race, case=f"{name}, one call per iteration", goals={"jax": 0.05}, peer_case=f"{peer_case}, call by call")


def whole():
    """Starting, compiling and memory."""
    toy = {"jax": 0.03, "casadi": None, "torch": None}
    yield Race("E", "toy, fresh process", "f64", 1, toy, "d_toy.blo", kind="process")
    for workload, model, lower_steps in (("B", "b_cleaning.blo", 100), ("C", "c_network.blo", 10)):
        peer_case, method, _ = methods(lower_steps)["CG-20"]
        case = f"compile {workload}"
        yield Race("E", case, "f64", 1, {"jax": 0.05}, model, method, kind="compile", peer_case=case)
        yield Race("E", f"{case}, cached", "f64", 1, {"jax": None}, model, method, kind="cached", peer_case=case)
    chain = f"gradient(line_search = false, upper_step = 1e-5, {COMMON})"
    yield Race(
        "E", "chain of 1000, compile", "f64", 1, {"jax": None, "casadi": 0.3}, "e_chain.blo", chain, kind="compile",
        peer_case="compile chain")
    yield Race(
        "E", "chain of 1000, value + gradient", "f64", 1, {"jax": 0.5, "casadi": 0.5}, "e_chain.blo", chain, steps=0,
        peer_case="chain")
    for case in ("BOME-10", "RHG-100"):
        peer_case, method, steps = methods(100)[case]
        goals = {"jax": 0.4, "torch": None} if case == "BOME-10" else {"jax": None}
        yield Race("B", f"{case}, peak memory", "f64", 1, goals, "b_cleaning.blo", method, steps=steps, kind="memory", peer_case=peer_case)


def quantities():
    """Single quantities: elementwise chains, and what derivatives cost in objectives."""
    for precision in ("f64", "f32"):
        for kind, name in enumerate(("arithmetic", "functions")):
            for n in (1000, 100_000, 10_000_000):
                yield Race(
                    "F", f"{name}, {n:.0e} elements".replace("e+0", "e"), precision, 1, {"jax": 0.7}, "f_chain.blo",
                    sizes={"n": n, "kind": kind}, kind="call", quantity="upper_gradients", peer_case=f"{name} {n}")
    for case, model in (("B", "cleaning_drawn.blo"), ("C", "network_drawn.blo")):
        for name, quantity, goal in (("gradient", "lower_gradient", 3), ("second-order product", "lower_second_order", 6)):
            yield Race(
                "F", f"{case}: {name} / objective", "f64", 1, {"itself": goal}, model, kind="call", quantity=quantity,
                base="lower_value")


def races():
    """All of them, in the order of the table."""
    yield from ridge()
    yield from cleaning()
    yield from toy()
    yield from whole()
    yield from quantities()
