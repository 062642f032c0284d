//! The order of services: each behind everything it depends on.

/// Why there is no order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cycle(
    /// Places of services, each depending on the next and the last on the first.
    pub Vec<usize>,
);

/// The order that repeated passes over the list give: a pass takes each service whose dependencies were taken before. Among
/// services of a pass the order of the file stays. `depends` holds, for each service, the places it depends on.
///
/// # Errors
/// One cycle, when there is one.
pub(super) fn order(depends: &[Vec<usize>]) -> Result<Vec<usize>, Cycle> {
    let mut passes: Vec<Option<usize>> = vec![None; depends.len()];
    for start in 0..depends.len() {
        visit(start, depends, &mut passes)?;
    }
    let mut order: Vec<usize> = (0..depends.len()).collect();
    order.sort_by_key(|place| (passes.get(*place).copied().flatten(), *place));
    Ok(order)
}

/// Finds the pass of `start` and of all it depends on; the path is kept by hand, since chains may be long.
fn visit(start: usize, depends: &[Vec<usize>], passes: &mut [Option<usize>]) -> Result<(), Cycle> {
    let of = |place: usize| depends.get(place).map(Vec::as_slice).unwrap_or_default();
    let mut path: Vec<(usize, usize)> = vec![(start, 0)];
    let mut on_path: std::collections::HashSet<usize> = [start].into();
    while let Some((place, next)) = path.last_mut() {
        let place = *place;
        if passes.get(place).copied().flatten().is_some() {
            on_path.remove(&place);
            path.pop();
            continue;
        }
        match of(place).get(*next).copied() {
            Some(parent) if on_path.contains(&parent) => {
                let cycle = path.iter().map(|(place, _)| *place).skip_while(|place| *place != parent).collect();
                return Err(Cycle(cycle));
            }
            Some(parent) => {
                *next += 1;
                on_path.insert(parent);
                path.push((parent, 0));
            }
            None => {
                let pass = |parent: usize| passes.get(parent).copied().flatten().unwrap_or(0);
                let latest = of(place).iter().map(|parent| pass(*parent) + usize::from(*parent > place)).max();
                if let Some(slot) = passes.get_mut(place) {
                    *slot = Some(latest.unwrap_or(0));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_file_stays_where_it_can() {
        assert_eq!(order(&[vec![], vec![], vec![]]), Ok(vec![0, 1, 2]));
        assert_eq!(order(&[vec![2], vec![], vec![]]), Ok(vec![1, 2, 0]));
        assert_eq!(order(&[vec![1], vec![2], vec![], vec![0]]), Ok(vec![2, 1, 0, 3]));
        assert_eq!(order(&[vec![], vec![0], vec![0, 1]]), Ok(vec![0, 1, 2]));
    }

    #[test]
    fn each_service_comes_behind_what_it_depends_on() {
        let count = 20_000;
        let depends: Vec<Vec<usize>> = (0..count).map(|n| if n + 1 < count { vec![n + 1] } else { vec![] }).collect();
        let order = order(&depends).unwrap();
        assert_eq!(order, (0..count).rev().collect::<Vec<_>>());
    }

    #[test]
    fn cycles_are_found() {
        assert_eq!(order(&[vec![0]]), Err(Cycle(vec![0])));
        assert_eq!(order(&[vec![1], vec![2], vec![3], vec![1]]), Err(Cycle(vec![1, 2, 3])));
    }
}
