"""Pictures that come with the libraries: their layout, range and labels, and no network."""

import socket

import numpy as np
import pytest
from PIL import Image

from utils import datasets
from utils.datasets import CROPPED, Photo, crops, digits, mnist, photo

PHOTOS = Photo.__args__
GRAY = {"brick", "camera", "cell", "clock", "coins", "grass", "gravel", "microaneurysms", "moon", "page", "text"}
COLOURED = set(PHOTOS) - GRAY


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the data sets must not use the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photo_is_planes_of_numbers_from_0_to_1(name):
    picture = photo(name)
    assert picture.ndim == 3 and len(picture) == (3 if name in COLOURED else 1)
    assert picture.dtype == np.float32 and picture.flags.c_contiguous
    assert (0 <= picture.min() < 0.3 and 0.7 < picture.max() <= 1) or name in {"cell", "clock", "microaneurysms"}
    assert np.array_equal(picture, photo(name))


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("gray", [False, True])
def test_a_photo_of_a_size_is_a_square(name, gray):
    picture = photo(name, size=64, gray=gray)
    assert picture.shape == (3 if name in COLOURED and not gray else 1, 64, 64)
    assert picture.dtype == np.float32 and picture.min() >= 0 and picture.max() <= 1
    assert np.array_equal(picture, photo(name, size=64, gray=gray))


def test_a_photo_is_a_fresh_array():
    photo("camera")[:] = 0
    assert photo("camera").max() > 0


def test_the_square_is_the_middle_of_the_photo():
    whole = photo("chelsea")  # 300 high, 451 wide
    assert whole.shape == (3, 300, 451)
    square = photo("chelsea", size=300)
    assert np.allclose(square, whole[:, :, 75:375], atol=1e-6)


def test_shrinking_averages():
    large, small = photo("grass", size=512), photo("grass", size=32)
    assert small.mean() == pytest.approx(large.mean(), abs=0.01)
    assert small.std() < large.std() / 2


def test_gray_is_the_brightness_of_the_channels():
    coloured, gray = photo("astronaut", size=64), photo("astronaut", size=64, gray=True)
    assert np.allclose(gray[0], np.tensordot([0.2125, 0.7154, 0.0721], coloured, 1), atol=1e-5)


@pytest.mark.parametrize("name", ["dog", "", "imread", "__doc__"])
def test_an_unknown_photo_is_refused(name):
    with pytest.raises(
        ValueError, match=f"photo must be one of astronaut, .*, text, or the Path of a file, got '{name}'"
    ):
        photo(name)


@pytest.mark.parametrize(("name", "size", "side"), [("chelsea", 301, 300), ("camera", 0, 512), ("brick", -1, 512)])
def test_a_size_that_cannot_be_cut_is_refused(name, size, side):
    with pytest.raises(ValueError, match=f"size must lie in 1 … {side} for {name}, got {size}"):
        photo(name, size=size)


@pytest.mark.parametrize("name", [None, 3, "utils", "chelsea.png"])
def test_only_a_path_is_a_file(name):
    with pytest.raises(ValueError, match="photo must be one of"):
        photo(name)


HALVES = np.zeros((40, 60, 3), np.uint8)
HALVES[:, :30] = (255, 0, 0)  # red on the left


def test_a_file_of_ones_own_is_a_photo_too(tmp_path):
    path = tmp_path / "mine.png"
    Image.fromarray(HALVES).save(path)
    whole = photo(path)
    assert whole.shape == (3, 40, 60) and whole.dtype == np.float32
    assert np.array_equal(whole, HALVES.transpose(2, 0, 1) / np.float32(255))
    assert photo(path, 40, gray=True).shape == (1, 40, 40)
    assert np.allclose(photo(path, 40), whole[:, :, 10:50])
    with pytest.raises(ValueError, match=r"size must lie in 1 … 40 for .*mine.png, got 41"):
        photo(path, 41)


def test_a_camera_that_was_held_upright_is_believed(tmp_path):
    path, exif = tmp_path / "upright.jpg", Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to the right
    Image.fromarray(HALVES).save(path, exif=exif, quality=95)
    turned = photo(path)
    assert turned.shape == (3, 60, 40)
    assert turned[0, :25].min() > 0.9 and turned[0, 35:].max() < 0.1  # what was on the left is above


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LA"])
def test_whatever_a_file_counts_in_becomes_three_channels(tmp_path, mode):
    path = tmp_path / ("mine.tif" if mode == "CMYK" else "mine.png")
    Image.fromarray(HALVES).convert(mode).save(path)
    assert photo(path).shape == (3, 40, 60)


def test_behind_what_is_transparent_is_gray(tmp_path):
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "mine.png")
    assert np.allclose(photo(tmp_path / "mine.png"), 127 / 255)


def test_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("no picture")
    Image.fromarray(HALVES).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:80])
    for name in ("mine.txt", "cut.png", "missing.png", "."):
        with pytest.raises(ValueError, match="photo must be a picture's file, got"):
            photo(tmp_path / name)
    Image.fromarray(np.full((8, 8), 40_000, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(ValueError, match="photo must have 8 bits a channel, got the mode I;16 in"):
        photo(tmp_path / "deep.png")


def test_digits():
    images, labels = digits()
    assert images.shape == (1797, 1, 8, 8) and images.dtype == np.float32
    assert (images.min(), images.max()) == (0, 1)
    assert np.array_equal(images * 16, np.round(images * 16))  # 17 shades
    assert labels.shape == (1797,) and labels.dtype == np.int64
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.array_equal(labels[:10], np.arange(10))
    again, _ = digits()
    assert again is not images and np.array_equal(again, images)
    # A zero is hollow, a one is not.
    assert images[labels == 0, 0, 3:5, 3:5].mean() < 0.2 < 0.7 < images[labels == 1, 0, 3:5, 3:5].mean()


SPLITS = {"train": 3000, "validation": 1000, "test": 1000}


@pytest.mark.parametrize(("split", "count"), SPLITS.items())
def test_mnist_has_as_many_of_each_digit(split, count):
    images, labels = mnist(split)
    assert images.shape == (count, 1, 28, 28) and images.dtype == np.float32
    assert images.min() == 0 and images.max() == 1
    assert labels.dtype == np.int64 and np.bincount(labels).tolist() == [count // 10] * 10
    assert np.bincount(labels[:100]).tolist() == [10] * 10
    assert np.array_equal(images, mnist(split)[0])


def test_mnist_splits_share_no_image_and_are_all_of_it():
    images = [image.tobytes() for split in SPLITS for image in mnist(split)[0]]
    assert len(images) == 5000 and len(set(images)) == 5000


def test_mnist_labels_belong_to_the_images():
    """The nearest of the ten mean images is right for four of five."""
    images, labels = mnist("train")
    means = np.stack([images[labels == digit].mean(0) for digit in range(10)])
    images, labels = mnist("test")
    distances = ((images[:, None] - means) ** 2).sum((2, 3, 4))
    assert (distances.argmin(1) == labels).mean() > 0.75


def test_mnist_has_three_splits():
    with pytest.raises(ValueError, match="split must be one of train, validation, test, got 'all'"):
        mnist("all")


def test_crops_are_as_many_of_each_photograph():
    images, labels = crops("left", 3, seed=5)
    assert images.shape == (30, 1, 64, 64) and images.dtype == np.float32
    assert images.min() >= 0 and images.max() <= 1 and (images.std((1, 2, 3)) > 0.02).all()
    assert labels.tolist() == [label for label in range(10) for _ in range(3)]
    assert np.array_equal(images, crops("left", 3, seed=5)[0]) and not np.array_equal(images, crops("left", 3)[0])


def test_crops_stay_in_their_half(monkeypatch):
    """Every photograph is black on the left and white on the right: relit, a piece of one half has a single gray."""
    halves = np.repeat(np.array([0, 1], np.float32), 200)[None].repeat(300, 0)
    monkeypatch.setattr(datasets, "_gray", lambda name: halves)
    for half in ("left", "right"):
        assert (np.ptp(crops(half, 20)[0], (1, 2, 3)) < 1e-3).all()


def test_crops_name_what_they_want():
    with pytest.raises(ValueError, match="half must be 'left' or 'right', got 'top'"):
        crops("top", 3)
    with pytest.raises(ValueError, match="count must be"):
        crops("left", 0)
    assert len(CROPPED) == 10 and set(CROPPED) <= set(PHOTOS)
