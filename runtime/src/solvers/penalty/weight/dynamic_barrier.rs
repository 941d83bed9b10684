//! Weight `dynamic_barrier`: the smallest `λ ≥ 0` for which `dF + λ dq` decreases the gap as much as asked,
//! `λ = max((psi − ⟨dF, dq⟩) / (‖dq‖² + epsilon), 0)` with `psi = eta ‖dq‖²` (written `λ = max(eta − ⟨dF, dq⟩/(‖dq‖² + epsilon), 0)`)
//! or `psi = eta q`, where `q` is the gap and `dq` its gradient.

use super::{Weight, WeightRecord, no_needs};
use crate::linear::blas1::dot;
use crate::settings::{Kind, OptionSpec, Piece, Preset, Requirement, Settings};
use crate::solvers::options::POSITIVE;
use crate::solvers::penalty::surrogate::Surrogate;
use crate::solvers::run::Point;

/// The barrier's options.
pub(crate) const BARRIER: &[OptionSpec] = &[
    OptionSpec { name: "eta", kind: POSITIVE, default: Preset::Number(0.5), doc: "Strength of the barrier." },
    OptionSpec {
        name: "psi",
        kind: Kind::Choice(&["gradient", "gap"]),
        default: Preset::Word("gradient"),
        doc: "The decrease asked of the gap: eta times its squared gradient norm, or eta times the gap.",
    },
    OptionSpec {
        name: "epsilon",
        kind: Kind::Real { min: 0.0, max: f64::INFINITY, open: false },
        default: Preset::Number(1e-8),
        doc: "Added to the squared norm that is divided by.",
    },
];

pub(crate) static DYNAMIC_BARRIER: WeightRecord = WeightRecord {
    piece: Piece {
        name: "dynamic_barrier",
        doc: "the smallest weight with which the direction decreases the gap as much as asked",
        assumes: "nothing; it grows without bound near a gap of 0, and `epsilon` leaves a bias of order `epsilon^(1/3)`",
        cost: "two inner products",
        source: "Ye et al. 2022, arXiv 2209.08709",
        groups: &[BARRIER],
        requires: &[Requirement {
            option: "order",
            one_of: &["together"],
            because: "it balances the gradients of both levels at one point",
        }],
    },
    needs: no_needs,
    build: |own, start| Weight::Balance(DynamicBarrier::new(own, start)),
};

/// The barrier, with room for the gradient of the gap.
pub(crate) struct DynamicBarrier {
    eta: f64,
    pub(super) by_gap: bool,
    epsilon: f64,
    gap: Point,
}

impl DynamicBarrier {
    fn new(own: &Settings, start: &Point) -> Self {
        DynamicBarrier {
            eta: own.real("eta"),
            by_gap: own.word("psi") == "gap",
            epsilon: own.real("epsilon"),
            gap: start.clone(),
        }
    }

    /// The weight at a point, with `∇F` there.
    pub(crate) fn weight(&mut self, surrogate: &impl Surrogate, point: &Point, upper: &Point) -> f64 {
        let gap = &mut self.gap;
        // Nothing is left of what was there, be it NaN.
        gap.x.fill(0.0);
        gap.y.fill(0.0);
        surrogate.add_x(0.0, 1.0, &mut gap.x);
        surrogate.add_y(point, 0.0, 1.0, &mut gap.y);
        let size = dot(&gap.x, &gap.x) + dot(&gap.y, &gap.y);
        let agreement = dot(&upper.x, &gap.x) + dot(&upper.y, &gap.y);
        let denominator = size + self.epsilon;
        if denominator == 0.0 {
            return 0.0;
        }
        let barrier = if self.by_gap { self.eta * surrogate.gap() / denominator } else { self.eta };
        (barrier - agreement / denominator).max(0.0)
    }
}
